namespace FewStep.Search;

/// <summary>A schedule optimiser in the catalogue: what it is, what it needs, and how to make it.</summary>
internal sealed record ScheduleOptimizerEntry
{
    /// <summary>Name in options and files, e.g. <c>gits</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Name of what may follow the name after a colon, e.g. <c>coefficient</c>; null (default) where nothing may.</summary>
    public string? Parameter { get; init; }

    /// <summary>One line: what is minimised, how, and what it costs.</summary>
    public required string Description { get; init; }

    public required string Source { get; init; }

    /// <summary>Whether the schedules depend on the solver that they are made for; default false.</summary>
    public bool IsForSolver { get; init; }

    /// <summary>Whether it cannot do without the training loss curve; default false.</summary>
    public bool NeedsLossCurve { get; init; }

    /// <summary>Refuses a parameter that is out of range with an <see cref="InvalidInputException"/>; called before anything costly. Null
    /// where there is no parameter.</summary>
    public Action<string>? CheckParameter { get; init; }

    /// <summary>Makes the optimiser for a model. The second argument is what followed the colon, null where nothing did.</summary>
    public required Func<ScheduleSearchContext, string?, IScheduleOptimizer> Create { get; init; }
}

/// <summary>An optimiser with its parameter, as <see cref="ScheduleOptimizerCatalog.Find"/> read it.</summary>
internal sealed record ScheduleOptimizerChoice(ScheduleOptimizerEntry Entry, string? Parameter)
{
    public string Text => Parameter is null ? Entry.Name : $"{Entry.Name}:{Parameter}";

    /// <summary>Where what it finds comes from, for tables.</summary>
    public ScheduleSource Source
        => Entry.Name == DiscretizationLossOptimizer.Entry.Name ? ScheduleSource.Phase1 : ScheduleSource.OtherSearch;

    public IScheduleOptimizer Create(ScheduleSearchContext context) => Entry.Create(context.Checked(), Parameter);
}

/// <summary>Reads the number after an optimiser's colon.</summary>
internal static class OptimizerParameter
{
    public static double Number(string optimizer, string what, string text, double lowest, double highest)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= lowest
            && value <= highest)
        {
            return value;
        }

        throw new InvalidInputException(
            $"Schedule optimiser '{optimizer}:{Printable.Line(text, 40)}': what follows the colon must be the {what}, a number from "
                + $"{lowest} to {highest}.");
    }
}
