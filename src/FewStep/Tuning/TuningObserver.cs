using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>Who is told what during a tuning; each may be null.</summary>
public sealed record TuningObserver
{
    /// <summary>Told after every update.</summary>
    public IProgress<WorkProgress>? Progress { get; init; }

    /// <summary>Told the figures of every update; its images are latents or images seen.</summary>
    public Action<TrainingUpdate>? Update { get; init; }

    /// <summary>Told every point of the curve when it is measured.</summary>
    public Action<TuningPoint>? Point { get; init; }

    /// <summary>Given the averaged weights at each of <see cref="TunerOptions.SnapshotFractions"/>.</summary>
    public Action<TuningSnapshot>? Snapshot { get; init; }
}

/// <summary>The averaged weights at one update, which need not be the best so far.</summary>
/// <param name="Point">Update and held-out metric.</param>
/// <param name="Weights">Flat float32 weights, valid only while the observer is called.</param>
public sealed record TuningSnapshot(TuningPoint Point, Tensor Weights);
