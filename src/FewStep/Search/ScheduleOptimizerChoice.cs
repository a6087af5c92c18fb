using FewStep.Noise;

namespace FewStep.Search;

/// <summary>An optimiser with its parameter, as <see cref="ScheduleOptimizerCatalog.Find"/> read it.</summary>
/// <param name="Entry">The optimiser.</param>
/// <param name="Parameter">What followed the colon, checked; null where nothing did.</param>
public sealed record ScheduleOptimizerChoice(ScheduleOptimizerEntry Entry, string? Parameter)
{
    /// <summary>Name with parameter, e.g. <c>gits:1.2</c>.</summary>
    public string Text => Parameter is null ? Entry.Name : $"{Entry.Name}:{Parameter}";

    /// <summary>Where what it finds comes from, for tables.</summary>
    public ScheduleSource Source => Entry.Name == DiscretizationLossOptimizer.Entry.Name ? ScheduleSource.Phase1 : ScheduleSource.OtherSearch;

    /// <summary>Makes the optimiser.</summary>
    /// <param name="context">The model and what belongs to it.</param>
    /// <exception cref="Platform.InvalidInputException">The context lacks something that the optimiser needs, or a value in it is out of range.</exception>
    public IScheduleOptimizer Create(ScheduleSearchContext context)
    {
        context.Validate();
        return Entry.Create(context, Parameter);
    }
}
