namespace FewStep.Experiments;

/// <summary>One row of sample images: a PNG that holds one equally wide tile for each seed, left to right.</summary>
public sealed record ImageStripSummary
{
    /// <summary>What the row shows: the trial's <see cref="TrialSummary.Name"/>.</summary>
    public required string Label { get; init; }

    /// <summary>Name of the schedule, as in <see cref="TrialSummary.Schedule"/>.</summary>
    public required string Schedule { get; init; }

    /// <summary>Name of the tuning; null for the weights as they came.</summary>
    public string? Tuning { get; init; }

    /// <summary>Name of the solver.</summary>
    public required string Solver { get; init; }

    /// <summary>Network evaluations an image, counted while these images were drawn.</summary>
    public required double EvaluationsPerImage { get; init; }

    /// <summary>The PNG file, relative to the run folder and inside it, with forward slashes.</summary>
    public required string Path { get; init; }

    /// <summary>Image seeds in the order of the tiles.</summary>
    public required IReadOnlyList<long> Seeds { get; init; }
}
