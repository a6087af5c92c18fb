using System.Collections.Immutable;

namespace FewStep.Noise;

/// <summary>A sampling schedule with where it came from: what a schedule file holds.</summary>
/// <param name="Schedule">The schedule.</param>
public sealed record ScheduleRecord(SamplingSchedule Schedule)
{
    /// <summary>The model's own time for each sigma, where it has one; as many as sigmas. Empty where not.</summary>
    public ImmutableArray<double> Times { get; init; } = [];

    /// <summary>Name of the solver that the schedule was made for; null where unknown.</summary>
    public string? Solver { get; init; }

    /// <summary>What the search minimised, or the name of the standard schedule; null where unknown.</summary>
    public string? Objective { get; init; }

    /// <summary>The objective's value with its confidence interval; null where there is none.</summary>
    public ScheduleLoss? Loss { get; init; }

    /// <summary>Network evaluations (one an image) that were spent to find the schedule; null where unknown.</summary>
    public long? Evaluations { get; init; }

    /// <summary>Hash of the model's weights; null where unknown.</summary>
    public string? ModelHash { get; init; }

    /// <summary>Hash of the images; null where unknown or none were used.</summary>
    public string? DataHash { get; init; }

    /// <summary>Seed of the search; null where it used none.</summary>
    public long? Seed { get; init; }

    /// <summary>FewStep's version that wrote the file; null in a file that was not written by it, and ignored in writing.</summary>
    public string? Writer { get; init; }
}

/// <summary>An estimate with its confidence interval.</summary>
/// <param name="Value">The estimate.</param>
/// <param name="Low">Lower end of the interval, at most <paramref name="Value"/>.</param>
/// <param name="High">Upper end of the interval, at least <paramref name="Value"/>.</param>
public sealed record ScheduleLoss(double Value, double Low, double High);
