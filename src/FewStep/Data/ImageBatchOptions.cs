namespace FewStep.Data;

/// <summary>How an image set is cut into batches.</summary>
public sealed record ImageBatchOptions
{
    /// <summary>Images in a batch; default 64, at least 1.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Seed of order and flips; default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Whether every epoch has a fresh random order; default true. Without it images come in the set's order, over and over.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Whether each image is mirrored left to right with probability 1/2, anew at each showing; default false.</summary>
    public bool Flip { get; init; }
}
