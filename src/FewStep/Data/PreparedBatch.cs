using FewStep.Denoising;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Data;

/// <summary>A batch in managed memory, which may be made on any thread: dispose scopes are bound to a thread, so tensors are made where they are used.</summary>
/// <param name="Position">Place of the first image in the endless order.</param>
/// <param name="Shape">Shape of an image.</param>
/// <param name="Pixels">B x C x H x W bytes.</param>
/// <param name="Labels">B class indices; null where the set has no classes.</param>
internal sealed record PreparedBatch(long Position, ImageShape Shape, byte[] Pixels, long[]? Labels)
{
    /// <summary>Makes the tensors.</summary>
    /// <param name="device">Where they shall lie; null = CPU.</param>
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
