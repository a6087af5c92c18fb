using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>Where and how often a tuning writes.</summary>
public sealed record TuningRunOptions
{
    /// <summary>
    /// Becomes a model folder with the best averaged weights so far and the sampler that they are tuned to, beside <c>tuning.safetensors</c> (the checkpoint), <c>tuning-curve.json</c> and, at the fractions of the
    /// options, <c>snapshots/update-N/</c> (a model folder with the averaged weights at that update).
    /// </summary>
    public required string Folder { get; init; }

    /// <summary>Seconds between checkpoints, 0 or more; default 60.</summary>
    public double CheckpointSeconds { get; init; } = 60;

    /// <summary>Type of the stored models: float32 (default) or bfloat16.</summary>
    public ScalarType StoredType { get; init; } = ScalarType.Float32;

    /// <summary>Whether snapshots are written; default true.</summary>
    public bool WriteSnapshots { get; init; } = true;

    /// <summary>Checks the interval.</summary>
    /// <exception cref="InvalidInputException">It is no number of 0 or more.</exception>
    public void Validate()
    {
        if (!(CheckpointSeconds >= 0))
        {
            throw new InvalidInputException(FormattableString.Invariant($"The seconds between checkpoints must be 0 or more, not {CheckpointSeconds}."));
        }
    }
}
