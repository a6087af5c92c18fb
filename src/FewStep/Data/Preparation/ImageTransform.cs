namespace FewStep.Data;

/// <summary>How images of any size are brought to one.</summary>
internal enum ImageTransform
{
    /// <summary>Not at all: they must have one size already.</summary>
    None,

    /// <summary>The whole image, its proportions given up, by box filter: downsampled ImageNet (Chrabaszcz et al. 2017).</summary>
    Box,

    /// <summary>A square from the middle: halved by box filter while the shorter side is twice the resolution or more, then bicubic until
    /// that side has the resolution, then cropped (guided-diffusion, ADM).</summary>
    CenterCrop,
}

internal static class ImageTransforms
{
    /// <summary>Brings an image to a square size.</summary>
    public static PixelImage Apply(PixelImage image, ImageTransform transform, int resolution)
    {
        ArgumentNullException.ThrowIfNull(image);
        switch (transform)
        {
            case ImageTransform.None:
                return image;
            case ImageTransform.Box:
                return ImageResampler.Resize(image, resolution, resolution, ResamplingFilter.Box);
            default:
                while (Math.Min(image.Shape.Width, image.Shape.Height) >= 2 * resolution)
                    image = ImageResampler.Resize(image, image.Shape.Height / 2, image.Shape.Width / 2, ResamplingFilter.Box);
                double scale = (double)resolution / Math.Min(image.Shape.Width, image.Shape.Height);
                image = ImageResampler.Resize(
                    image, Scaled(image.Shape.Height, scale), Scaled(image.Shape.Width, scale), ResamplingFilter.Bicubic);
                return Crop(image, (image.Shape.Height - resolution) / 2, (image.Shape.Width - resolution) / 2, resolution);
        }
    }

    /// <summary>Parses the names of the command line: <c>none</c>, <c>box</c>, <c>center-crop</c>.</summary>
    public static ImageTransform Parse(string text) => text switch
    {
        "none" => ImageTransform.None,
        "box" => ImageTransform.Box,
        "center-crop" => ImageTransform.CenterCrop,
        _ => throw new InvalidInputException($"'{EntryName.Shown(text)}' is no transform; there are none, box and center-crop."),
    };

    // Python's round, which takes halves to the even neighbour.
    private static int Scaled(int side, double scale) => (int)Math.Round(side * scale, MidpointRounding.ToEven);

    private static PixelImage Crop(PixelImage image, int top, int left, int side)
    {
        int channels = image.Shape.Channels;
        byte[] result = new byte[side * side * channels];
        for (int y = 0; y < side; y++)
        {
            image.Bytes.AsSpan((((top + y) * image.Shape.Width) + left) * channels, side * channels)
                .CopyTo(result.AsSpan(y * side * channels));
        }

        return new PixelImage(new(channels, side, side), result);
    }
}

/// <summary>A kernel for <see cref="ImageResampler"/>.</summary>
internal enum ResamplingFilter
{
    /// <summary>The mean over the pixels whose centres lie within the target pixel's area (Pillow's BOX).</summary>
    Box,

    /// <summary>Keys' cubic convolution with a = -1/2, widened when shrinking (Pillow's BICUBIC).</summary>
    Bicubic,
}
