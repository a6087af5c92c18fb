using FewStep.Data;
using FewStep.Denoising;
using FewStep.Deploy;
using FewStep.Tests.Data;

namespace FewStep.Tests.Deploy;

public sealed class GeneratedImagesTests : FolderTests
{
    [Fact]
    public void Bytes_are_those_of_the_librarys_image_files()
    {
        // Every level, its two edges, and what lies beyond.
        float[] values = [.. Enumerable.Range(-300, 600).SelectMany(i => new[] { i / 127.5f, MathF.BitIncrement(i / 127.5f),
            MathF.BitDecrement(i / 127.5f), (i + 0.5f) / 127.5f }), float.PositiveInfinity, float.NegativeInfinity];
        using var levels = PixelScale.Levels(tensor(values)).to_type(ScalarType.Byte);
        Assert.Equal(levels.data<byte>().ToArray(), Images(new(1, 1, values.Length), values).GetPixels(0));
    }

    [Theory]
    [InlineData(1, 28, 28)]
    [InlineData(3, 5, 7)]
    [InlineData(3, 64, 64)]
    public void Png_files_hold_the_pixels(int channels, int height, int width)
    {
        var shape = new ImageShape(channels, height, width);
        using var scope = NewDisposeScope();
        var values = randn(shape.Batch(2), generator: new Generator(3)) * 0.5;
        var images = Images(shape, values.data<float>().ToArray());
        for (int i = 0; i < 2; i++)
        {
            var read = PngFiles.Read(_folder.Write("own.png", images.GetPng(i)));
            Assert.Equal(0, (read[0] - PixelScale.RoundTrip(values[i])).abs().max().item<float>());
        }
    }

    [Fact]
    public void An_image_of_no_numbers_is_refused()
    {
        var images = Images(new(1, 1, 2), [0, 0, 0, float.NaN]);
        Assert.Equal([128, 128], images.GetPixels(0));
        string message = Assert.Throws<SamplerGraphException>(() => images.GetPng(1)).Message;
        Assert.StartsWith("Image 1 holds NaN", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => images.GetPixels(2));
        Assert.Throws<InvalidOperationException>(() => Images(new(2, 1, 1), [0, 0]).GetPng(0));
    }

    private static GeneratedImages Images(ImageShape shape, float[] values) => new(
        new SamplerDescription
        {
            Model = "",
            ModelSha256 = "",
            License = "",
            Version = "",
            Channels = shape.Channels,
            Height = shape.Height,
            Width = shape.Width,
            Classes = 0,
            Steps = 1,
            Evaluations = 1,
            Sampler = "",
        }, values);
}
