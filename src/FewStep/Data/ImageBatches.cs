using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Data;

/// <summary>
/// An endless, repeatable order of batches over an image set: what is at a position depends on set, options and position only, so training resumes anywhere exactly.
/// A batch may span two epochs. Safe to use from several threads.
/// </summary>
public sealed class ImageBatches
{
    // Epochs, the other numbers that seeds are derived by, are never negative.
    private const long FlipStream = -1;

    private readonly Lock _orderLock = new();
    private readonly EpochShuffle? _order;

    /// <summary>Creates the order.</summary>
    /// <param name="set">The images; must outlive this and stays the caller's.</param>
    /// <param name="options">Batch size, seed, order and flips; null = defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is below 1, or a batch would have more than 2^31 values.</exception>
    public ImageBatches(IImageSet set, ImageBatchOptions? options = null)
    {
        Set = set;
        Options = options ?? new ImageBatchOptions();
        CheckSize(set, Options.BatchSize);
        _order = Options.Shuffle ? new EpochShuffle(set.Count, Options.Seed) : null;
    }

    /// <summary>The images.</summary>
    public IImageSet Set { get; }

    /// <summary>Batch size, seed, order and flips.</summary>
    public ImageBatchOptions Options { get; }

    /// <summary>Reads every image once in the set's order, e.g. to gather statistics; the last batch may be smaller.</summary>
    /// <param name="set">The images; stays the caller's.</param>
    /// <param name="batchSize">Images in a batch, at least 1.</param>
    /// <param name="device">Where the tensors shall lie; null = CPU.</param>
    /// <returns>Batches, each owned by the caller.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is below 1, or a batch would have more than 2^31 values.</exception>
    public static IEnumerable<ImageBatch> Once(IImageSet set, int batchSize, Device? device = null)
    {
        CheckSize(set, batchSize);
        var batches = new ImageBatches(set, new ImageBatchOptions { BatchSize = batchSize, Shuffle = false });
        return Iterate();

        IEnumerable<ImageBatch> Iterate()
        {
            for (int start = 0; start < set.Count; start += Math.Min(batchSize, set.Count - start))
            {
                yield return batches.Prepare(start, Math.Min(batchSize, set.Count - start), CancellationToken.None).ToTensors(device);
            }
        }
    }

    /// <summary>Reads the batch at a position.</summary>
    /// <param name="position">Place of its first image in the endless order, from 0: the number of images shown before.</param>
    /// <param name="device">Where the tensors shall lie; null = CPU.</param>
    /// <returns>The batch; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">An image cannot be read.</exception>
    public ImageBatch Read(long position, Device? device = null) => Prepare(position, CancellationToken.None).ToTensors(device);

    /// <summary>Reads the batch at a position into managed memory.</summary>
    /// <param name="position">Place of its first image in the endless order.</param>
    /// <param name="cancellation">Stops between two images.</param>
    internal PreparedBatch Prepare(long position, CancellationToken cancellation) => Prepare(position, Options.BatchSize, cancellation);

    private PreparedBatch Prepare(long position, int count, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        int[] indices = Indices(position, count);
        int size = (int)Set.Shape.Dimension;
        byte[] image = new byte[size];
        byte[] pixels = new byte[(long)count * size];
        for (int b = 0; b < count; b++)
        {
            cancellation.ThrowIfCancellationRequested();
            Set.Read(indices[b], image);
            ToPlanes(image, pixels.AsSpan(b * size, size), Options.Flip && IsFlipped(position + b));
        }

        return new PreparedBatch(position, Set.Shape, pixels, Set.Classes == 0 ? null : [.. indices.Select(i => (long)Set.Label(i))]);
    }

    private int[] Indices(long position, int count)
    {
        int[] indices = new int[count];
        lock (_orderLock)
        {
            for (int b = 0; b < count; b++)
            {
                indices[b] = _order is null ? (int)((position + b) % Set.Count) : _order[position + b];
            }
        }

        return indices;
    }

    private bool IsFlipped(long position) => (SeedHash.Derive(Options.Seed, FlipStream, position) & 1) != 0;

    private void ToPlanes(ReadOnlySpan<byte> image, Span<byte> planes, bool flipped)
    {
        var shape = Set.Shape;
        for (int c = 0, to = 0; c < shape.Channels; c++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                var row = image.Slice(y * shape.Width * shape.Channels, shape.Width * shape.Channels);
                var target = planes.Slice(to, shape.Width);
                to += shape.Width;
                for (int x = 0; x < target.Length; x++)
                {
                    target[x] = row[x * shape.Channels + c];
                }

                if (flipped)
                {
                    target.Reverse();
                }
            }
        }
    }

    private static void CheckSize(IImageSet set, int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (batchSize * set.Shape.Dimension > Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(nameof(batchSize), batchSize, $"A batch of {set.Shape} images may be at most {Array.MaxLength / set.Shape.Dimension}.");
        }
    }
}
