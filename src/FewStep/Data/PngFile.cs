using SkiaSharp;

namespace FewStep.Data;

/// <summary>Writes images in [-1, 1] as 8-bit PNG each or as a grid. Gray images stay gray.</summary>
/// <remarks>
/// Bytes are floor(v x 127.5 + 128) clipped to [0, 255], as in EDM. Tensors are [B,C,H,W] or [C,H,W], C = 1 or 3, of any floating-point
/// type and device; they are neither changed nor disposed.
/// </remarks>
internal static class PngFile
{
    private const string Extension = ".png";

    /// <summary>Refuses names that would promise another format than the file has.</summary>
    public static void CheckName(string path)
    {
        if (!path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase))
            throw new InvalidInputException($"Images are written as PNG, but the file is called {path}; end its name in {Extension}.");
    }

    /// <summary>The file name of an image by its number: 000000.png.</summary>
    public static string Name(long number) => number.ToString("D6", CultureInfo.InvariantCulture) + Extension;

    /// <summary>Writes each image of a batch to its own file, named by its number: 000000.png.</summary>
    /// <param name="images">[B,C,H,W].</param>
    public static IReadOnlyList<string> WriteEach(string folder, Tensor images, long firstNumber = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstNumber);
        var paths = new List<string>();
        foreach (byte[] png in Encode(images))
        {
            string path = Path.Combine(folder, Name(firstNumber + paths.Count));
            AtomicFile.Write(path, stream => stream.Write(png));
            paths.Add(path);
        }

        return paths;
    }

    /// <summary>Encodes each image of a batch.</summary>
    /// <param name="images">[B,C,H,W].</param>
    public static IReadOnlyList<byte[]> Encode(Tensor images) => [.. ToPixels(images).Select(Encode)];

    /// <summary>Writes a batch as one grid image.</summary>
    /// <param name="images">[B,C,H,W].</param>
    public static void WriteGrid(string path, Tensor images, GridLayout? layout = null)
    {
        CheckName(path);
        byte[] png = EncodeGrid(images, layout);
        AtomicFile.Write(path, stream => stream.Write(png));
    }

    /// <summary>Encodes a batch as one grid image.</summary>
    /// <param name="images">[B,C,H,W].</param>
    public static byte[] EncodeGrid(Tensor images, GridLayout? layout = null)
        => Encode(PixelImage.Grid(ToPixels(images), layout ?? new GridLayout()));

    private static unsafe byte[] Encode(PixelImage image)
    {
        bool gray = image.Shape.Channels == 1;
        int pixels = image.Shape.Height * image.Shape.Width;
        byte[] bytes = image.Bytes;
        if (!gray)
        {
            // Skia has no 24-bit pixels; the fourth byte is padding and is not written.
            bytes = new byte[4 * pixels];
            for (int i = 0; i < pixels; i++)
                image.Bytes.AsSpan(3 * i, 3).CopyTo(bytes.AsSpan(4 * i));
        }

        var info = new SKImageInfo(
            image.Shape.Width, image.Shape.Height, gray ? SKColorType.Gray8 : SKColorType.Rgb888x, SKAlphaType.Opaque);
        fixed (byte* start = bytes)
        {
            using var pixmap = new SKPixmap(info, (IntPtr)start);
            using var png = pixmap.Encode(SKPngEncoderOptions.Default)
                ?? throw new InvalidOperationException($"The PNG encoder failed on a {image.Shape} image.");
            return png.ToArray();
        }
    }

    private static PixelImage[] ToPixels(Tensor images)
    {
        long[] size = images.shape;
        if (size.Length is not (3 or 4) || size[^3] is not (1 or 3) || images.numel() == 0 || !images.is_floating_point())
        {
            throw new ArgumentException("Images must be floating point [B,C,H,W] or [C,H,W] with C = 1 or 3 and nothing empty, not "
                + $"{images.dtype} [{string.Join(',', size)}].", nameof(images));
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var shape = new ImageShape((int)size[^3], (int)size[^2], (int)size[^1]);
        var values = images.detach().to(ScalarType.Float32).cpu().reshape(shape.Batch(-1));
        int count = (int)values.shape[0], dimension = (int)shape.Dimension;
        int broken = Array.IndexOf(values.isnan().flatten(1).any(1).data<bool>().ToArray(), true);
        if (broken >= 0)
        {
            throw new InvalidInputException($"Image {broken} of {count} holds NaN and cannot be written: sampling diverged. "
                + "Check the model's weights, the schedule and the number format.");
        }

        byte[] planes = PixelScale.Levels(values).to_type(ScalarType.Byte).contiguous().bytes.ToArray();
        return [.. Enumerable.Range(0, count).Select(b => PixelImage.FromPlanes(shape, planes.AsSpan(b * dimension, dimension)))];
    }
}
