using FewStep.Data;

namespace FewStep.Metrics;

/// <summary>Reads batches of an image set as float32 tensors in [-1,1], optionally shifted and mirrored at random.</summary>
internal sealed class ImageTensors(IImageSet set)
{
    private readonly PixelImage _image = new(set.Shape, new byte[set.Shape.Dimension]);

    /// <returns>[B,C,H,W]; the caller owns it.</returns>
    public Tensor Read(ReadOnlySpan<int> indices) => Read(indices, static _ => (0, 0, false));

    /// <summary>Hands out images, batch by batch, to be measured.</summary>
    /// <param name="take">Receives the number of images before the batch, and the batch, which is disposed of afterwards.</param>
    public void ForEach(
        int[] indices, int batch, string stage, Action<int, MeasuredImages> take, IProgress<WorkProgress>? progress,
        CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        for (int done = 0; done < indices.Length; done += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var part = indices.AsSpan(done, Math.Min(batch, indices.Length - done));
            using var images = new MeasuredImages(Read(part)) { Labels = [.. part.ToArray().Select(set.Label)] };
            take(done, images);
            progress?.Report(new(stage, done + part.Length, indices.Length, "img"));
        }
    }

    /// <summary>Reads images, each shifted by up to <paramref name="shift"/> pixels along both axes (border pixels are repeated) and
    /// mirrored with probability one half.</summary>
    /// <param name="first">Place of the first of them in the batch, which decides what becomes of them.</param>
    /// <returns>[B,C,H,W]; the caller owns it.</returns>
    public Tensor ReadAugmented(ReadOnlySpan<int> indices, int shift, bool mirror, long seed, int first = 0) => Read(indices, place =>
    {
        long random = SeedHash.Derive(seed, first + place);
        int choices = (2 * shift) + 1;
        return ((int)(random % choices) - shift, (int)(random / choices % choices) - shift,
            mirror && (random / choices / choices & 1) == 1);
    });

    /// <returns>int64 [B]; the caller owns it.</returns>
    public Tensor Labels(ReadOnlySpan<int> indices, int classes)
    {
        var labels = new long[indices.Length];
        for (int i = 0; i < labels.Length; i++)
        {
            int label = set.Label(indices[i]);
            labels[i] = label >= 0 && label < classes
                ? label
                : throw new InvalidInputException(
                    $"Image {indices[i]} has label {label}; a classifier of {classes} classes needs labels 0 to {classes - 1}.");
        }

        return tensor(labels);
    }

    private Tensor Read(ReadOnlySpan<int> indices, Func<int, (int Down, int Right, bool Mirror)> move)
    {
        int size = _image.Bytes.Length;
        var planes = new byte[checked(indices.Length * size)];
        for (int i = 0; i < indices.Length; i++)
        {
            set.Read(indices[i], _image.Bytes);
            var (down, right, mirror) = move(i);
            _image.ToPlanes(planes.AsSpan(i * size, size), mirror, down, right);
        }

        using var bytes = tensor(planes, ScalarType.Byte).reshape(set.Shape.Batch(indices.Length));
        return PixelScale.FromBytes(bytes);
    }
}
