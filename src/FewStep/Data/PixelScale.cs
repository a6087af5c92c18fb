namespace FewStep.Data;

/// <summary>The one mapping between bytes and the model's range: b = floor(127.5 x + 128) clipped to 0..255, x = b / 127.5 - 1; the same
/// that image files are written with.</summary>
internal static class PixelScale
{
    /// <param name="bytes">uint8, any shape; not changed and not disposed.</param>
    /// <returns>float32 of the same shape; the caller owns it.</returns>
    public static Tensor FromBytes(Tensor bytes)
    {
        using var scope = NewDisposeScope();
        return bytes.to_type(ScalarType.Float32).Over(127.5).Minus(1).MoveToOuterDisposeScope();
    }

    /// <summary>The bytes of images without NaN, as float32 of the current dispose scope; halves are rounded up.</summary>
    public static Tensor Levels(Tensor images) => images.to_type(ScalarType.Float32).Times(127.5).Plus(128).floor().Clamp(0, 255);

    /// <summary>Clips and rounds images to what an 8-bit file of them would hold, so that a metric sees what a user would see.</summary>
    /// <param name="images">Any floating type, nominally in [-1,1]; not changed and not disposed.</param>
    /// <returns>float32 in [-1,1], each value one of 256; the caller owns it.</returns>
    public static Tensor RoundTrip(Tensor images)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (!isfinite(images).all().AsBoolean())
        {
            throw new InvalidInputException(
                "A sample holds NaN or infinity: the model diverged; check its noise levels, schedule and weights.");
        }

        return Levels(images).Over(127.5).Minus(1).MoveToOuterDisposeScope();
    }
}
