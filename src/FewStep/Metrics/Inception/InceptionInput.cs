namespace FewStep.Metrics;

/// <summary>Brings images to the size and scale that a translation of Inception-v3 takes.</summary>
internal sealed class InceptionInput(InceptionKind kind, ImageShape shape, Device device) : IDisposable
{
    // Linear interpolation is a product with a thin matrix along each axis.
    private readonly Tensor _rows = Interpolation(shape.Height, device);
    private readonly Tensor _columns = Interpolation(shape.Width, device);

    /// <param name="images">[B,C,H,W], float32, each value one of 256 in [-1,1]; not changed and not disposed.</param>
    /// <returns>[B,3,299,299], float32; the caller owns it.</returns>
    public Tensor Prepare(Tensor images)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var bytes = HostCopy.To(images, device).Times(127.5).Plus(127.5).round();
        if (shape.Channels == 1)
            bytes = bytes.expand(-1, 3, -1, -1);
        return (kind == InceptionKind.PytorchFid ? HalfPixel(bytes) : TensorFlow(bytes)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _rows.Dispose();
        _columns.Dispose();
    }

    private static Tensor HalfPixel(Tensor bytes)
    {
        var unit = bytes.Over(255);
        var resized = nn.functional.interpolate(
            unit, [InceptionLayout.Side, InceptionLayout.Side], mode: InterpolationMode.Bilinear, align_corners: false);
        return resized.Times(2).Minus(1);
    }

    private Tensor TensorFlow(Tensor bytes) => _rows.matmul(bytes).matmul(_columns.t()).Minus(128).Over(128);

    // TensorFlow 1 without align_corners: target j is read at j x size / 299, and the last pixel is repeated.
    private static Tensor Interpolation(int size, Device device)
    {
        var weights = new float[InceptionLayout.Side, size];
        for (int j = 0; j < InceptionLayout.Side; j++)
        {
            double place = (double)j * size / InceptionLayout.Side;
            int low = (int)place;
            double upper = place - low;
            weights[j, low] += (float)(1 - upper);
            weights[j, Math.Min(low + 1, size - 1)] += (float)upper;
        }

        return tensor(weights, device: device).DetachFromDisposeScope();
    }
}
