namespace FewStep.Search;

/// <summary>A schedule that a search found, with what it cost and why the search stopped.</summary>
public sealed record ScheduleSearchResult
{
    /// <summary>The schedule.</summary>
    public required SamplingSchedule Schedule { get; init; }

    /// <summary>What was minimised, e.g. <c>discretization loss, power 0</c>.</summary>
    public required string Objective { get; init; }

    /// <summary>The weighting of noise levels in the objective, e.g. <c>power 0</c>; null for objectives that have none.</summary>
    public string? Weighting { get; init; }

    /// <summary>How it was minimised, e.g. <c>dynamic programme on 1000 sigmas, Newton polish</c>.</summary>
    public required string Search { get; init; }

    /// <summary>The objective's value at the schedule, with its confidence interval where that is known.</summary>
    public required LossEstimate Loss { get; init; }

    /// <summary>What discretization adds: the loss less its value for infinitely many steps, in the loss's units; null for objectives that
    /// have no such limit.</summary>
    public double? Bound { get; init; }

    /// <summary>Network evaluations spent. Results of one request share what was spent once for all of them, e.g. on a loss curve: do not
    /// add them up.</summary>
    public required long NetworkEvaluations { get; init; }

    /// <summary>Why the search stopped, in a few words.</summary>
    public required string StopReason { get; init; }

    /// <summary>Wall-clock seconds of the search for this schedule; what a request shares is spread evenly over its schedules.</summary>
    public required double Seconds { get; init; }
}
