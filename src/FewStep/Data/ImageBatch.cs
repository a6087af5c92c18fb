using static TorchSharp.torch;

namespace FewStep.Data;

/// <summary>Images and labels as tensors. Disposing of it disposes of both; like all tensors they also end with the dispose scope in which they were made.</summary>
public sealed class ImageBatch : IDisposable
{
    internal ImageBatch(long position, Tensor images, Tensor? labels)
    {
        Position = position;
        Images = images;
        Labels = labels;
    }

    /// <summary>Place of the first image in the endless order: the number of images shown before.</summary>
    public long Position { get; }

    /// <summary>Place of the first image of the batch after this one: what to store for an exact resume.</summary>
    public long NextPosition => Position + Count;

    /// <summary>Number of images B.</summary>
    public long Count => Images.shape[0];

    /// <summary>Images [B,C,H,W], float32 in [-1, 1] (byte / 127.5 - 1).</summary>
    public Tensor Images { get; }

    /// <summary>Class indices int64 [B], -1 = none; null where the set has no classes.</summary>
    public Tensor? Labels { get; }

    /// <summary>Disposes of the tensors.</summary>
    public void Dispose()
    {
        Images.Dispose();
        Labels?.Dispose();
    }
}
