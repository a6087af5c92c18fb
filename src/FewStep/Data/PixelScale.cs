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

        var bytes = images.to_type(ScalarType.Float32).Times(127.5).Plus(128).floor().Clamp(0, 255);
        return bytes.Over(127.5).Minus(1).MoveToOuterDisposeScope();
    }
}

/// <summary>The two ways between stored bytes and the network's values in [-1, 1].</summary>
/// <remarks>As in EDM: v = b / 127.5 - 1 and b = floor(v x 127.5 + 128) clipped to [0, 255], which rounds halves up. Bytes survive both
/// ways.</remarks>
internal static class PixelValue
{
    /// <summary>The value of a byte, in [-1, 1].</summary>
    public static float FromByte(byte stored) => stored / 127.5f - 1f;

    /// <summary>The byte nearest to a value; values outside of [-1, 1] are clipped.</summary>
    public static byte ToByte(float value) => (byte)Math.Clamp(MathF.Floor(value * 127.5f + 128f), 0f, 255f);
}
