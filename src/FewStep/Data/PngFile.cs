using System.Runtime.InteropServices;
using FewStep.Denoising;
using SkiaSharp;

namespace FewStep.Data;

/// <summary>Writes images in [-1, 1] as 8-bit PNG, singly or as a grid, and reads them back. Gray images stay gray.</summary>
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

    /// <param name="image">[C,H,W] or [1,C,H,W].</param>
    public static void Write(string path, Tensor image)
    {
        CheckName(path);
        byte[] png = Encode(image);
        AtomicFile.Write(path, stream => stream.Write(png));
    }

    /// <summary>Writes each image of a batch to its own file, named by its number: 000000.png.</summary>
    /// <param name="images">[B,C,H,W].</param>
    public static IReadOnlyList<string> WriteEach(string folder, Tensor images, long firstNumber = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstNumber);
        var paths = new List<string>();
        foreach (var image in ToPixels(images))
        {
            string path = Path.Combine(folder, (firstNumber + paths.Count).ToString("D6", CultureInfo.InvariantCulture) + ".png");
            byte[] png = Encode(image);
            AtomicFile.Write(path, stream => stream.Write(png));
            paths.Add(path);
        }

        return paths;
    }

    /// <summary>Writes a batch as one grid image.</summary>
    /// <param name="images">[B,C,H,W].</param>
    public static void WriteGrid(string path, Tensor images, GridLayout? layout = null)
    {
        CheckName(path);
        byte[] png = EncodeGrid(images, layout);
        AtomicFile.Write(path, stream => stream.Write(png));
    }

    /// <summary>Encodes one image, e.g. for a data URI.</summary>
    /// <param name="image">[C,H,W] or [1,C,H,W].</param>
    public static byte[] Encode(Tensor image)
    {
        var pixels = ToPixels(image);
        return pixels.Length == 1 ? Encode(pixels[0])
            : throw new ArgumentException($"One image is expected, not {pixels.Length}; write a batch as a grid or each.", nameof(image));
    }

    /// <summary>Encodes a batch as one grid image.</summary>
    /// <param name="images">[B,C,H,W].</param>
    public static byte[] EncodeGrid(Tensor images, GridLayout? layout = null)
        => Encode(PixelImage.Grid(ToPixels(images), layout ?? new GridLayout()));

    /// <returns>[1,C,H,W] float32 in [-1, 1] on the CPU, C = 1 for gray images, else 3; the caller owns it.</returns>
    public static Tensor Read(string path)
    {
        byte[] file;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > EncodedImageScan.LargestFile } large)
                throw new InvalidInputException($"{path} has {large.Length} bytes, more than the {EncodedImageScan.LargestFile} allowed.");

            file = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ReadFailure.Of(path, e);
        }

        var shape = ImageHeader.Read(file, path);
        byte[] pixels = new byte[shape.Dimension];
        ImageDecoder.Decode(file, path, shape, pixels);
        float[] values = new float[pixels.Length];
        int plane = shape.Height * shape.Width;
        for (int i = 0; i < values.Length; i++)
            values[i % shape.Channels * plane + i / shape.Channels] = PixelValue.FromByte(pixels[i]);

        return tensor(values, shape.Batch(1));
    }

    private static byte[] Encode(PixelImage image)
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
        var handle = GCHandle.Alloc(bytes, GCHandleType.Pinned);
        try
        {
            using var pixmap = new SKPixmap(info, handle.AddrOfPinnedObject());
            using var png = pixmap.Encode(SKPngEncoderOptions.Default)
                ?? throw new InvalidOperationException($"The PNG encoder failed on a {image.Shape} image.");
            return png.ToArray();
        }
        finally
        {
            handle.Free();
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

        var shape = new ImageShape((int)size[^3], (int)size[^2], (int)size[^1]);
        float[] values = Values(images);
        var result = new PixelImage[values.LongLength / shape.Dimension];
        int plane = shape.Height * shape.Width;
        for (int b = 0; b < result.Length; b++)
        {
            var source = values.AsSpan(checked((int)(b * shape.Dimension)), (int)shape.Dimension);
            byte[] bytes = new byte[source.Length];
            for (int i = 0; i < bytes.Length; i++)
            {
                float value = source[i % shape.Channels * plane + i / shape.Channels];
                bytes[i] = float.IsNaN(value)
                    ? throw new InvalidInputException($"Image {b} of {result.Length} holds NaN and cannot be written: sampling diverged. "
                        + "Check the model's weights, the schedule and the number format.")
                    : PixelValue.ToByte(value);
            }

            result[b] = new PixelImage(shape, bytes);
        }

        return result;
    }

    private static float[] Values(Tensor images)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        return images.detach().to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
    }
}
