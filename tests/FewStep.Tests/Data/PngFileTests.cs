using FewStep.Data;
using FewStep.Denoising;

namespace FewStep.Tests.Data;

public sealed class PngFileTests : FolderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Every_byte_survives_the_round_trip(int channels)
    {
        using var scope = NewDisposeScope();
        var bytes = arange(0, 256 * channels, ScalarType.Int64).remainder(256).view(1, channels, 16, 16);
        var images = bytes.to(ScalarType.Float32) / 127.5f - 1f;
        string path = _folder.File("x.png");
        PngFile.WriteGrid(path, images);
        var read = PngFiles.Read(path);
        Assert.Equal(images.shape, read.shape);
        Assert.Equal(images.data<float>().ToArray(), read.data<float>().ToArray());
        Assert.Equal(new ImageShape(channels, 16, 16), ImageHeader.Read(File.ReadAllBytes(path), path));
    }

    [Fact]
    public void Values_are_clipped_and_rounded_half_up()
    {
        // v x 127.5 + 127.5 = 0.5 at v = -127/127.5: rounds up to 1.
        using var image = tensor(new[] { -7.0, 7.0, double.PositiveInfinity, -127.0 / 127.5, 0.0, -1.0 }, [1, 1, 6]);
        byte[] pixels = Pixels(PngFile.EncodeGrid(image), out var shape);
        Assert.Equal(new ImageShape(1, 1, 6), shape);
        Assert.Equal([0, 255, 255, 1, 128, 0], pixels);
    }

    [Fact]
    public void Nan_is_refused_by_image()
    {
        using var images = zeros(3, 1, 2, 2);
        images[1, 0, 1, 1] = float.NaN;
        Assert.Contains("Image 1 of 3", Assert.Throws<InvalidInputException>(() => PngFile.WriteEach(_folder.Root, images)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Grids_place_enlarge_and_separate()
    {
        using var images = tensor(new float[] { 0, 1, 2 }, [3, 1, 1, 1]) / 127.5f - 1f; // bytes 0, 1, 2
        byte[] pixels = Pixels(
            PngFile.EncodeGrid(images, new GridLayout { Columns = 2, Gutter = 1, Upscale = 2, Background = 9 }), out var shape);
        Assert.Equal(new ImageShape(1, 5, 5), shape);
        Assert.Equal(
            [
                0, 0, 9, 1, 1,
                0, 0, 9, 1, 1,
                9, 9, 9, 9, 9,
                2, 2, 9, 9, 9,
                2, 2, 9, 9, 9,
            ],
            pixels);
    }

    [Fact]
    public void Default_grids_are_about_square_and_keep_colours_apart()
    {
        using var images = zeros(5, 3, 4, 2);
        images.select(1, 0).fill_(1f); // red
        byte[] pixels = Pixels(PngFile.EncodeGrid(images), out var shape);
        Assert.Equal(new ImageShape(3, 9, 8), shape);
        Assert.Equal([255, 128, 128], pixels[..3]);
        Assert.Equal([255, 255, 255], pixels[^3..]);
    }

    [Fact]
    public void Batches_are_written_each_under_its_number()
    {
        using var images = zeros(2, 1, 2, 2);
        var paths = PngFile.WriteEach(_folder.File("samples"), images, 41);
        Assert.Equal(["000041.png", "000042.png"], paths.Select(Path.GetFileName));
        Assert.All(paths, p => Assert.True(File.Exists(p)));
    }

    [Fact]
    public void Other_tensors_are_refused()
    {
        using var bytes = zeros(1, 1, 2, 2, ScalarType.Byte);
        using var channels = zeros(1, 2, 2, 2);
        using var batch = zeros(2, 1, 2, 2);
        Assert.Throws<ArgumentException>(() => PngFile.EncodeGrid(bytes));
        Assert.Throws<ArgumentException>(() => PngFile.EncodeGrid(channels));
        Assert.Throws<ArgumentOutOfRangeException>(() => PngFile.EncodeGrid(batch, new GridLayout { Upscale = 0 }));
    }

    private static byte[] Pixels(byte[] png, out ImageShape shape)
    {
        shape = ImageHeader.Read(png, "png");
        byte[] pixels = new byte[shape.Dimension];
        ImageDecoder.Decode(png, "png", shape, pixels);
        return pixels;
    }
}
