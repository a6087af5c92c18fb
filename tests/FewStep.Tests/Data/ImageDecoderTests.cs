using FewStep.Data;
using FewStep.Denoising;

namespace FewStep.Tests.Data;

public class ImageDecoderTests
{
    [Theory]
    [InlineData(0, 1)] // gray
    [InlineData(2, 3)] // RGB
    [InlineData(4, 1)] // gray with alpha
    [InlineData(6, 3)] // RGB with alpha
    public void Png_samples_come_out_as_stored(byte colourType, int channels)
    {
        int stored = colourType switch { 0 => 1, 2 => 3, 4 => 2, _ => 4 };
        byte[] samples = TinyImages.Noise(7 * 5 * stored, colourType);
        byte[] file = TinyImages.Png(7, 5, colourType, samples);

        var shape = ImageHeader.Read(file, "x.png");
        byte[] pixels = new byte[shape.Dimension];
        ImageDecoder.Decode(file, "x.png", shape, pixels);

        Assert.Equal(new ImageShape(channels, 5, 7), shape);
        Assert.Equal(samples.Where((_, i) => i % stored < channels), pixels);
    }

    [Fact]
    public void Gamma_and_colour_notes_do_not_change_samples()
    {
        byte[] samples = TinyImages.Noise(4 * 4 * 3, 1);
        byte[] file = TinyImages.Png(4, 4, 2, samples, 8, ("gAMA", [0, 1, 0x86, 0xa0])); // gamma 1.0
        byte[] pixels = new byte[48];
        ImageDecoder.Decode(file, "x.png", new ImageShape(3, 4, 4), pixels);
        Assert.Equal(samples, pixels);
    }

    [Fact]
    public void Palette_images_become_rgb()
    {
        byte[] file = TinyImages.Png(2, 1, 3, [1, 0], 8, ("PLTE", [10, 20, 30, 40, 50, 60]));
        byte[] pixels = new byte[6];
        ImageDecoder.Decode(file, "x.png", new ImageShape(3, 1, 2), pixels);
        Assert.Equal([40, 50, 60, 10, 20, 30], pixels);
    }

    [Fact]
    public void Jpegs_decode_in_colour_and_gray()
    {
        var shape = ImageHeader.Read(TinyImages.Jpeg(8, 200, 100, 50), "x.jpg");
        Assert.Equal(new ImageShape(3, 8, 8), shape);
        byte[] pixels = new byte[192];
        ImageDecoder.Decode(TinyImages.Jpeg(8, 200, 100, 50), "x.jpg", shape, pixels);
        Assert.All(pixels.Chunk(3), p => Assert.True(Math.Abs(p[0] - 200) <= 3 && Math.Abs(p[1] - 100) <= 3 && Math.Abs(p[2] - 50) <= 3));

        byte[] grayFile = TinyImages.Jpeg(8, 77, 77, 77, gray: true);
        Assert.Equal(new ImageShape(1, 8, 8), ImageHeader.Read(grayFile, "g.jpg"));
        byte[] gray = new byte[64];
        ImageDecoder.Decode(grayFile, "g.jpg", new ImageShape(1, 8, 8), gray);
        Assert.All(gray, p => Assert.InRange(p, 75, 79));
    }

    [Fact]
    public void A_gray_image_serves_in_a_colour_set_and_not_the_other_way()
    {
        byte[] pixels = new byte[12];
        ImageDecoder.Decode(TinyImages.Png(2, 2, 0, [1, 2, 3, 4]), "g.png", new ImageShape(3, 2, 2), pixels);
        Assert.Equal([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4], pixels);

        byte[] gray = new byte[4];
        var e = Assert.Throws<InvalidInputException>(
            () => ImageDecoder.Decode(TinyImages.Rgb(2, 0), "c.png", new ImageShape(1, 2, 2), gray));
        Assert.Contains("c.png", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sixteen_bits_and_giant_sizes_are_refused_from_the_header()
    {
        byte[] deep = TinyImages.Png(2, 2, 0, TinyImages.Noise(8, 0), depth: 16);
        Assert.Contains(
            "16 bits", Assert.Throws<InvalidInputException>(() => ImageHeader.Read(deep, "x.png")).Message, StringComparison.Ordinal);

        byte[] giant = TinyImages.Png(2_000_000_000, 1, 0, [0]);
        Assert.Contains(
            "2000000000", Assert.Throws<InvalidInputException>(() => ImageHeader.Read(giant, "x.png")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_chunk_that_no_pixel_comes_from_costs_nothing()
    {
        byte[] samples = TinyImages.Noise(27, 5), pixels = new byte[27];
        byte[] file = TinyImages.Png(3, 3, 2, samples, extra: [("teXt", new byte[40 << 20]), ("zTXt", [1, 2, 3])]);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        ImageDecoder.Decode(file, "x.png", new ImageShape(3, 3, 3), pixels);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 10);
        Assert.Equal(samples, pixels);
    }

    [Fact]
    public void Images_that_are_cut_short_or_changed_are_found_without_decoding()
    {
        byte[] png = TinyImages.Rgb(16, 1), jpeg = TinyImages.Jpeg(16, 9, 9, 9);
        EncodedImage.Check(png, "x.png");
        EncodedImage.Check([.. jpeg, 0, 0], "x.jpg");
        for (int length = 40; length < png.Length; length += 7)
            Refused(png[..length], "cut short");
        for (int length = jpeg.Length / 2; length < jpeg.Length; length++)
            Refused(jpeg[..length], "cut short");
        png[^30] ^= 1;
        Refused(png, "checksum");
    }

    [Fact]
    public void A_jpeg_with_hundreds_of_scans_is_refused()
    {
        byte[] jpeg = TinyImages.Jpeg(16, 9, 9, 9);
        int scan = jpeg.AsSpan().IndexOf([(byte)0xff, (byte)0xda]);
        byte[] scans = [.. jpeg[..^2], .. Enumerable.Range(0, 200).SelectMany(_ => jpeg[scan..^2]), 0xff, 0xd9];
        Refused(scans, "scans");
        var refusal = Assert.Throws<InvalidInputException>(() => ImageDecoder.Decode(scans, "x", new ImageShape(3, 16, 16), new byte[768]));
        Assert.Contains("scans", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_size_that_the_file_cannot_hold_is_refused()
    {
        byte[] file = TinyImages.Png(8192, 1, 0, new byte[8192]);
        Assert.Equal(8192, ImageHeader.Read(file, "x.png").Width);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(20), 8192);
        var refusal = Assert.Throws<InvalidInputException>(() => ImageHeader.Read(file, "x.png"));
        Assert.Contains("needs a byte", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_truncation_and_many_damages_are_refused_or_decoded_but_never_crash()
    {
        foreach (byte[] file in new[] { TinyImages.Rgb(6, 3), TinyImages.Jpeg(8, 1, 2, 3) })
        {
            var shape = ImageHeader.Read(file, "x");
            byte[] pixels = new byte[shape.Dimension];
            for (int length = 0; length < file.Length; length++)
            {
                Try(file[..length], shape, pixels);
                byte[] damaged = [.. file];
                damaged[length] ^= 0x55;
                Try(damaged, shape, pixels);
            }
        }

        byte[] half = TinyImages.Rgb(16, 3);
        Assert.Throws<InvalidInputException>(
            () => ImageDecoder.Decode(half.AsSpan(0, half.Length / 2), "x", new ImageShape(3, 16, 16), new byte[768]));
    }

    private static void Refused(byte[] file, string why)
        => Assert.Contains(
            why, Assert.Throws<InvalidInputException>(() => EncodedImage.Check(file, "x")).Message, StringComparison.Ordinal);

    private static void Try(byte[] file, ImageShape shape, byte[] pixels)
    {
        try
        {
            ImageDecoder.Decode(file, "x", shape, pixels);
        }
        catch (InvalidInputException e)
        {
            Assert.DoesNotContain('\n', e.Message);
        }
    }
}
