using FewStep.Noise;

namespace FewStep.Search;

/// <summary>An optimiser with its parameter, as <see cref="ScheduleOptimizerCatalog.Find"/> read it.</summary>
internal sealed record ScheduleOptimizerChoice(ScheduleOptimizerEntry Entry, string? Parameter)
{
    public string Text => Parameter is null ? Entry.Name : $"{Entry.Name}:{Parameter}";

    /// <summary>Where what it finds comes from, for tables.</summary>
    public ScheduleSource Source
        => Entry.Name == DiscretizationLossOptimizer.Entry.Name ? ScheduleSource.Phase1 : ScheduleSource.OtherSearch;

    /// <param name="context">The model and what belongs to it.</param>
    public IScheduleOptimizer Create(ScheduleSearchContext context)
    {
        context.Validate();
        return Entry.Create(context, Parameter);
    }
}
