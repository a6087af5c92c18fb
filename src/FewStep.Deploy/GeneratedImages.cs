namespace FewStep.Deploy;

/// <summary>Images of a sampler.</summary>
public sealed class GeneratedImages
{
    private readonly SamplerDescription _description;

    internal GeneratedImages(SamplerDescription description, ReadOnlyMemory<float> values)
    {
        _description = description;
        Values = values;
    }

    /// <summary>Number of images.</summary>
    public int Count => Values.Length / _description.Dimension;

    /// <summary>Channels of an image.</summary>
    public int Channels => _description.Channels;

    /// <summary>Rows of an image.</summary>
    public int Height => _description.Height;

    /// <summary>Columns of an image.</summary>
    public int Width => _description.Width;

    /// <summary>All values [count, channels, height, width] as the model gives them: nominally in [-1, 1], not clipped.</summary>
    public ReadOnlyMemory<float> Values { get; }

    /// <summary>An image in bytes, row after row, the channels of a pixel beside each other: floor(127.5 x + 128) clipped to 0 to 255, as
    /// FewStep writes its image files.</summary>
    /// <param name="index">Number of the image, from 0.</param>
    /// <exception cref="SamplerGraphException">The image holds NaN.</exception>
    public byte[] GetPixels(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        var values = Values.Span.Slice(index * _description.Dimension, _description.Dimension);
        byte[] pixels = new byte[values.Length];
        int plane = Height * Width;
        if (HasNaN(values))
            throw new SamplerGraphException($"Image {index} holds NaN: the model diverged; check its number format and its sampler.");
        for (int i = 0; i < values.Length; i++)
            pixels[(i % plane * Channels) + (i / plane)] = (byte)Math.Clamp(MathF.Floor((values[i] * 127.5f) + 128), 0, 255);
        return pixels;
    }

    /// <summary>An image as a PNG file, grey or red, green and blue.</summary>
    /// <param name="index">Number of the image, from 0.</param>
    /// <exception cref="InvalidOperationException">The images have neither 1 nor 3 channels, as latents of another model.</exception>
    public byte[] GetPng(int index) => Channels is 1 or 3
        ? PngEncoder.Encode(GetPixels(index), Channels, Height, Width)
        : throw new InvalidOperationException($"A PNG file holds 1 or 3 channels, and these images have {Channels}; take Values.");

    private static bool HasNaN(ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            if (float.IsNaN(value))
                return true;
        }

        return false;
    }
}
