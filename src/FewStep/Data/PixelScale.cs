using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Data;

/// <summary>The one mapping between bytes and the model's range: b = floor(127.5 x + 128) clipped to 0..255, x = b / 127.5 - 1; the same that image files are written with.</summary>
public static class PixelScale
{
    /// <summary>Maps bytes to [-1,1].</summary>
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
    /// <exception cref="InvalidInputException">A value is NaN or infinite.</exception>
    public static Tensor RoundTrip(Tensor images)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (!isfinite(images).all().AsBoolean())
        {
            throw new InvalidInputException("A sample holds NaN or infinity: the model diverged; check its noise levels, schedule and weights.");
        }

        var bytes = images.to_type(ScalarType.Float32).Times(127.5).Plus(128).floor().Clamp(0, 255);
        return bytes.Over(127.5).Minus(1).MoveToOuterDisposeScope();
    }
}
