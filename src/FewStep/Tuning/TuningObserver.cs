namespace FewStep.Tuning;

/// <summary>Who is told what during a tuning; each may be null.</summary>
internal sealed record TuningObserver
{
    public IProgress<WorkProgress>? Progress { get; init; }

    /// <summary>Told the figures of every update; its images are latents or images seen.</summary>
    public Action<TrainingUpdate>? Update { get; init; }

    /// <summary>Told every point of the curve when it is measured.</summary>
    public Action<TuningPoint>? Point { get; init; }

    /// <summary>Given the averaged weights at each of <see cref="TuningOptions.SnapshotFractions"/>.</summary>
    public Action<TuningSnapshot>? Snapshot { get; init; }
}

/// <summary>The averaged weights at one update, which need not be the best so far.</summary>
/// <param name="Weights">Flat float32 weights, valid only while the observer is called.</param>
internal sealed record TuningSnapshot(TuningPoint Point, Tensor Weights);
