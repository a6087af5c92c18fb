using FewStep.Denoising;

namespace FewStep.Data;

/// <summary>Resizes 8-bit images with the very arithmetic of Pillow's <c>Image.resize</c>, so that data sets match those made with
/// it.</summary>
/// <remarks>
/// Two passes, along rows and then along columns, each only where the size changes. A target pixel's weights are the kernel at the source
/// pixels' centres, stretched by the scale when shrinking, divided by their sum in float64 and rounded to multiples of 2^-22; sums are
/// integers, rounded to the nearest byte (halves up) and clipped after each pass.
/// </remarks>
internal static class ImageResampler
{
    private const int PrecisionBits = 22;

    private readonly record struct Taps(int First, int[] Weights);

    public static PixelImage Resize(PixelImage image, int height, int width, ResamplingFilter filter)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (width != image.Shape.Width)
            image = Rows(image, Precompute(image.Shape.Width, width, filter));

        return height != image.Shape.Height ? Columns(image, Precompute(image.Shape.Height, height, filter)) : image;
    }

    private static Taps[] Precompute(int source, int target, ResamplingFilter filter)
    {
        double scale = (double)source / target, stretch = Math.Max(
            scale, 1), inverse = 1 / stretch, support = stretch * (filter == ResamplingFilter.Box ? 0.5 : 2);
        var taps = new Taps[target];
        for (int i = 0; i < target; i++)
        {
            double centre = (i + 0.5) * scale;
            int first = Math.Max((int)(centre - support + 0.5), 0), end = Math.Min((int)(centre + support + 0.5), source);
            var exact = new double[end - first];
            double sum = 0;
            for (int k = 0; k < exact.Length; k++)
            {
                // not divided: a box's edges fall on pixel centres, where the last bit counts
                sum += exact[k] = Kernel(filter, (k + first - centre + 0.5) * inverse);
            }

            // Truncation after adding a half away from zero, as Pillow does it.
            taps[i] = new Taps(first, Array.ConvertAll(exact, w => (int)((w / sum * (1 << PrecisionBits)) + (w < 0 ? -0.5 : 0.5))));
        }

        return taps;
    }

    private static double Kernel(ResamplingFilter filter, double x)
    {
        if (filter == ResamplingFilter.Box)
            return x is > -0.5 and <= 0.5 ? 1 : 0;

        const double a = -0.5;
        x = Math.Abs(x);
        return x < 1 ? ((((a + 2) * x) - (a + 3)) * x * x) + 1 : x < 2 ? (((((x - 5) * x) + 8) * x) - 4) * a : 0;
    }

    private static PixelImage Rows(PixelImage image, Taps[] taps)
    {
        var (channels, height, width) = (image.Shape.Channels, image.Shape.Height, image.Shape.Width);
        byte[] result = new byte[checked(height * taps.Length * channels)];
        int to = 0;
        for (int y = 0; y < height; y++)
        {
            int row = y * width * channels;
            foreach (var (first, weights) in taps)
            {
                for (int c = 0; c < channels; c++)
                {
                    int sum = 1 << (PrecisionBits - 1);
                    for (int k = 0, from = row + (first * channels) + c; k < weights.Length; k++, from += channels)
                        sum += image.Bytes[from] * weights[k];

                    result[to++] = Clip(sum);
                }
            }
        }

        return new PixelImage(new ImageShape(channels, height, taps.Length), result);
    }

    private static PixelImage Columns(PixelImage image, Taps[] taps)
    {
        int stride = image.Shape.Width * image.Shape.Channels;
        byte[] result = new byte[checked(stride * taps.Length)];
        int to = 0;
        foreach (var (first, weights) in taps)
        {
            for (int x = 0; x < stride; x++)
            {
                int sum = 1 << (PrecisionBits - 1);
                for (int k = 0, from = (first * stride) + x; k < weights.Length; k++, from += stride)
                    sum += image.Bytes[from] * weights[k];

                result[to++] = Clip(sum);
            }
        }

        return new PixelImage(new ImageShape(image.Shape.Channels, taps.Length, image.Shape.Width), result);
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> PrecisionBits, 0, 255);
}
