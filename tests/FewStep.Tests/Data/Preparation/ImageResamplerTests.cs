using CsCheck;
using FewStep.Data;
using FewStep.Denoising;

namespace FewStep.Tests.Data;

public sealed class ImageResamplerTests
{
    [Fact]
    public void Shrinking_by_whole_factors_with_a_box_takes_means()
    {
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 5], Gen.Int[1, 4], Gen.Int[1, 4], Gen.Int[0, 1000]).Sample((fy, fx, height, width, seed) =>
        {
            byte[] pixels = TinyImages.Noise(3 * fy * height * fx * width, seed);
            var small = ImageResampler.Resize(
                new PixelImage(new ImageShape(3, fy * height, fx * width), pixels), height, width, ResamplingFilter.Box);
            for (int y = 0; y < height; y++)
            {
                for (int x = 0; x < width; x++)
                {
                    for (int c = 0; c < 3; c++)
                    {
                        // Means along rows are rounded to bytes, then means of those along columns.
                        double mean = Enumerable.Range(0, fy).Average(dy => RoundHalfUp(
                            Enumerable.Range(0, fx).Average(dx => pixels[(((((y * fy) + dy) * fx * width) + (x * fx) + dx) * 3) + c])));
                        double area = Enumerable.Range(0, fy * fx)
                            .Average(i => pixels[(((((y * fy) + (i / fx)) * fx * width) + (x * fx) + (i % fx)) * 3) + c]);
                        byte found = small.Bytes[(((y * width) + x) * 3) + c];
                        Assert.Equal(RoundHalfUp(mean), found);
                        Assert.InRange(found - area, -1.0, 1.0);
                    }
                }
            }
        }, iter: 60);
    }

    [Fact]
    public void Any_size_is_the_weighted_sum_over_the_kernel()
    {
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[1, 40], Gen.Enum<ResamplingFilter>(), Gen.Int[0, 1000])
            .Sample((h, w, height, width, filter, seed) =>
        {
            byte[] pixels = TinyImages.Noise(h * w, seed);
            var found = ImageResampler.Resize(new PixelImage(new ImageShape(1, h, w), pixels), height, width, filter);
            Assert.Equal(new ImageShape(1, height, width), found.Shape);
            if (Pass(w, width, filter) is not { } rows || Pass(h, height, filter) is not { } columns)
            {
                return; // a pixel's centre lies on a box's edge, where rounding decides
            }

            var middle = new byte[h, width];
            for (int y = 0; y < h; y++)
            {
                for (int x = 0; x < width; x++)
                {
                    middle[y, x] = width == w ? pixels[(y * w) + x]
                        : Byte(Enumerable.Range(0, w).Sum(k => rows[x, k] * pixels[(y * w) + k]));
                }
            }

            // Sums within 2^-22 of a half may round either way, and what the first pass rounds otherwise counts up to 1.1 times in the
            // second.
            int most = height != h && width != w ? 2 : 1;
            for (int i = 0; i < height * width; i++)
            {
                (int y, int x) = (i / width, i % width);
                byte expected = height == h ? middle[y, x] : Byte(Enumerable.Range(0, h).Sum(k => columns[y, k] * middle[k, x]));
                Assert.InRange(found.Bytes[i] - expected, -most, most);
            }
        }, iter: 60);
    }

    [Theory]
    [InlineData(300, 200)]
    [InlineData(129, 500)]
    [InlineData(50, 40)]
    [InlineData(64, 64)]
    public void The_centre_is_cropped_as_guided_diffusion_does(int height, int width)
    {
        // A horizontal ramp keeps its middle in the middle, whatever is cut off.
        byte[] pixels = new byte[height * width];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(128 + (i % width * 100 / width) - 50);
        var found = ImageTransforms.Apply(new PixelImage(new ImageShape(1, height, width), pixels), ImageTransform.CenterCrop, 64);
        Assert.Equal(new ImageShape(1, 64, 64), found.Shape);
        Assert.InRange((found.Bytes[(32 * 64) + 31] + found.Bytes[(32 * 64) + 32]) / 2.0, 125, 130);
        // Pixels are as far apart as the shorter side's scale says.
        double step = 100.0 / width * Math.Min(height, width) / 64;
        Assert.InRange(found.Bytes[(32 * 64) + 60] - found.Bytes[(32 * 64) + 3], (57 * step) - 3, (57 * step) + 3);
    }

    [Fact]
    public void Flat_images_stay_flat_and_sizes_that_fit_stay_as_they_are()
    {
        var flat = new PixelImage(new ImageShape(1, 37, 91), Enumerable.Repeat((byte)200, 37 * 91).ToArray());
        foreach (var transform in new[] { ImageTransform.Box, ImageTransform.CenterCrop })
            Assert.All(ImageTransforms.Apply(flat, transform, 16).Bytes, b => Assert.Equal(200, b));
        Assert.Same(flat, ImageTransforms.Apply(flat, ImageTransform.None, 16));
        Assert.Same(flat, ImageResampler.Resize(flat, 37, 91, ResamplingFilter.Bicubic));
    }

    private static double RoundHalfUp(double value) => Math.Floor(value + 0.5 + 1e-9);

    private static byte Byte(double value) => (byte)Math.Clamp(Math.Floor(value + 0.5), 0, 255);

    private static double[,]? Pass(int source, int target, ResamplingFilter filter)
    {
        double stretch = Math.Max((double)source / target, 1);
        var weights = new double[target, source];
        for (int i = 0; i < target; i++)
        {
            double sum = 0;
            for (int k = 0; k < source; k++)
            {
                double x = (k + 0.5 - ((i + 0.5) * source / target)) / stretch;
                if (filter == ResamplingFilter.Box && Math.Abs(Math.Abs(x) - 0.5) < 1e-9)
                    return null;
                weights[i, k] = filter == ResamplingFilter.Box ? (x > -0.5 && x <= 0.5 ? 1 : 0) : Cubic(Math.Abs(x));
                sum += weights[i, k];
            }

            for (int k = 0; k < source; k++)
                weights[i, k] /= sum;
        }

        return weights;
    }

    // Keys (1981), equation 15: a = -1/2.
    private static double Cubic(double x)
        => x < 1 ? (1.5 * x * x * x) - (2.5 * x * x) + 1 : x < 2 ? (-0.5 * x * x * x) + (2.5 * x * x) - (4 * x) + 2 : 0;
}
