namespace FewStep.Data;

/// <summary>Images and labels as tensors. Disposing of it disposes of both; like all tensors they also end with the dispose scope in which
/// they were made.</summary>
/// <param name="Position">Place of the first image in the endless order: the number of images shown before.</param>
/// <param name="Images">Images [B,C,H,W], float32 in [-1, 1] (byte / 127.5 - 1).</param>
/// <param name="Labels">Class indices int64 [B], -1 = none; null where the set has no classes.</param>
internal sealed record ImageBatch(long Position, Tensor Images, Tensor? Labels) : IDisposable
{
    public long Count => Images.shape[0];

    public void Dispose()
    {
        Images.Dispose();
        Labels?.Dispose();
    }
}

/// <summary>A batch in managed memory, which may be made on any thread: dispose scopes are bound to a thread, so tensors are made where
/// they are used.</summary>
internal sealed record PreparedBatch(long Position, ImageShape Shape, byte[] Pixels, long[]? Labels)
{
    /// <returns>The batch; the caller owns it.</returns>
    public ImageBatch ToTensors(Device? device)
    {
        device ??= CPU;
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();

        // Bytes travel to the device, a quarter of what floats would take.
        var bytes = HostCopy.To(tensor(Pixels, Shape.Batch(Pixels.Length / Shape.Dimension), ScalarType.Byte), device);
        var images = PixelScale.FromBytes(bytes);
        var labels = Labels is null ? null : HostCopy.To(tensor(Labels, [Labels.Length], ScalarType.Int64), device);
        return new ImageBatch(Position, images.MoveToOuterDisposeScope(), labels?.MoveToOuterDisposeScope());
    }
}
