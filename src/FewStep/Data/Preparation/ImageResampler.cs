namespace FewStep.Data;

/// <summary>Resizes 8-bit images with the very arithmetic of Pillow's <c>Image.resize</c>.</summary>
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
        var (channels, rows, columns) = (image.Shape.Channels, image.Shape.Height, image.Shape.Width);
        if (width != columns)
            image = new(new(channels, rows, width), Sums(image.Bytes, rows, channels, Precompute(columns, width, filter)));
        return height == rows ? image
            : new(new(channels, height, width), Sums(image.Bytes, 1, width * channels, Precompute(rows, height, filter)));
    }

    private static Taps[] Precompute(int source, int target, ResamplingFilter filter)
    {
        double scale = (double)source / target, stretch = Math.Max(scale, 1), inverse = 1 / stretch;
        double support = stretch * (filter == ResamplingFilter.Box ? 0.5 : 2);
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

    // Weighted sums along the middle axis of [outer, size, inner].
    private static byte[] Sums(byte[] source, int outer, int inner, Taps[] taps)
    {
        byte[] result = new byte[checked(outer * taps.Length * inner)];
        int to = 0;
        for (int start = 0; start < source.Length; start += source.Length / outer)
        {
            foreach (var (first, weights) in taps)
            {
                for (int i = 0; i < inner; i++)
                {
                    int sum = 1 << (PrecisionBits - 1);
                    for (int k = 0, from = start + (first * inner) + i; k < weights.Length; k++, from += inner)
                        sum += source[from] * weights[k];
                    result[to++] = (byte)Math.Clamp(sum >> PrecisionBits, 0, 255);
                }
            }
        }

        return result;
    }
}
