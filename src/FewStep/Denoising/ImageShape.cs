namespace FewStep.Denoising;

/// <summary>Shape of one image: channels, height, width in pixels.</summary>
public sealed record ImageShape
{
    /// <summary>Creates a shape.</summary>
    /// <param name="channels">1 to 4,096.</param>
    /// <param name="height">1 to 65,536 pixels.</param>
    /// <param name="width">1 to 65,536 pixels.</param>
    /// <exception cref="InvalidInputException">A size is out of range.</exception>
    public ImageShape(int channels, int height, int width)
    {
        if (channels is < 1 or > 4096 || height is < 1 or > 65536 || width is < 1 or > 65536)
        {
            throw new InvalidInputException($"Image shape {channels}x{height}x{width} (channels x height x width) is out of range: sizes "
                + "are positive, channels at most 4096, sides at most 65536.");
        }

        (Channels, Height, Width) = (channels, height, width);
    }

    /// <summary>Number of channels C.</summary>
    public int Channels { get; }

    /// <summary>Height H in pixels.</summary>
    public int Height { get; }

    /// <summary>Width W in pixels.</summary>
    public int Width { get; }

    /// <summary>Number of values in one image, C x H x W: the dimension of the diffusion.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public long Dimension => (long)Channels * Height * Width;

    /// <summary>The tensor shape of a batch, [<paramref name="batch"/>, C, H, W].</summary>
    /// <param name="batch">Images in the batch.</param>
    public long[] Batch(long batch) => [batch, Channels, Height, Width];

    /// <inheritdoc/>
    public override string ToString() => $"{Channels}x{Height}x{Width}";
}
