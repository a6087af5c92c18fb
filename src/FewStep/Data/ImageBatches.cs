using FewStep.Collectives;

namespace FewStep.Data;

/// <summary>
/// An endless, repeatable order of batches over an image set: what is at a position depends on set, options and position only, so training
/// resumes anywhere exactly. A batch may span two epochs. Safe to use from several threads.
/// </summary>
internal sealed class ImageBatches
{
    // Epochs, the other numbers that seeds are derived by, are never negative.
    private const long FlipStream = -1;

    private readonly Lock _orderLock = new();
    private readonly EpochShuffle _order;

    public ImageBatches(IImageSet set, ImageBatchOptions? options = null)
    {
        Set = set;
        Options = options ?? new ImageBatchOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(Options.BatchSize, 1, nameof(options));
        if (Options.BatchSize * set.Shape.Dimension > Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(nameof(options), Options.BatchSize,
                $"A batch of {set.Shape} images may be at most {Array.MaxLength / set.Shape.Dimension}.");
        }

        _order = new EpochShuffle(set.Count, Options.Seed);
    }

    public IImageSet Set { get; }
    public ImageBatchOptions Options { get; }

    /// <returns>The batch; the caller owns it.</returns>
    public ImageBatch Read(long position, Device? device = null) => Prepare(position, CancellationToken.None).ToTensors(device);

    /// <summary>Reads the batch at a position, or its part, into managed memory.</summary>
    internal PreparedBatch Prepare(long position, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        var part = Options.Part ?? BatchPart.All(Options.BatchSize);
        int count = part.Count, size = (int)Set.Shape.Dimension;
        position += part.First;
        int[] indices = Indices(position, count);
        var image = new PixelImage(Set.Shape, new byte[size]);
        byte[] pixels = new byte[(long)count * size];
        for (int b = 0; b < count; b++)
        {
            cancellation.ThrowIfCancellationRequested();
            Set.Read(indices[b], image.Bytes);
            image.ToPlanes(pixels.AsSpan(b * size, size), Options.Flip && IsFlipped(position + b));
        }

        return new PreparedBatch(position, Set.Shape, pixels, Set.Classes == 0 ? null : [.. indices.Select(i => (long)Set.Label(i))]);
    }

    private int[] Indices(long position, int count)
    {
        lock (_orderLock)
        {
            return [.. Enumerable.Range(0, count).Select(b => _order[position + b])];
        }
    }

    private bool IsFlipped(long position) => (SeedHash.Derive(Options.Seed, FlipStream, position) & 1) != 0;
}

/// <summary>How an image set is cut into batches.</summary>
internal sealed record ImageBatchOptions
{
    /// <summary>Images in a batch; default 64, at least 1.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Seed of order and flips; default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Whether each image is mirrored left to right with probability 1/2, anew at each showing; default false.</summary>
    public bool Flip { get; init; }

    /// <summary>The images of each batch that are read; null (default) for all.</summary>
    public BatchPart? Part { get; init; }
}
