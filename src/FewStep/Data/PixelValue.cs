namespace FewStep.Data;

/// <summary>The two ways between stored bytes and the network's values in [-1, 1].</summary>
/// <remarks>As in EDM: v = b / 127.5 - 1 and b = floor(v x 127.5 + 128) clipped to [0, 255], which rounds halves up. Bytes survive both ways.</remarks>
internal static class PixelValue
{
    /// <summary>The value of a byte, in [-1, 1].</summary>
    /// <param name="stored">0 to 255.</param>
    public static float FromByte(byte stored) => stored / 127.5f - 1f;

    /// <summary>The byte nearest to a value; values outside of [-1, 1] are clipped.</summary>
    /// <param name="value">Any number but NaN.</param>
    public static byte ToByte(float value) => (byte)Math.Clamp(MathF.Floor(value * 127.5f + 128f), 0f, 255f);
}
