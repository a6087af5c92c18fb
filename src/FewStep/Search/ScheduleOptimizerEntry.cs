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
