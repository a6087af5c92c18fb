using System.Buffers;
using SkiaSharp;

namespace FewStep.Data;

/// <summary>Decodes PNG and JPEG files to 8-bit pixels, channels last.</summary>
/// <remarks>The values come out as stored: transparency is dropped; colour profiles, gamma and orientation are ignored.</remarks>
internal static class ImageDecoder
{
    /// <summary>Decodes one image whose shape must be <paramref name="shape"/>; safe to call from several threads.</summary>
    public static unsafe void Decode(
        ReadOnlySpan<byte> file, string where, ImageShape shape, Span<byte> destination, bool acceptCmyk = false)
    {
        CheckShape(ImageHeader.Read(file, where, acceptCmyk), shape, where);
        if (destination.Length != shape.Dimension)
        {
            throw new ArgumentException(
                $"The destination has {destination.Length} bytes, a {shape} image {shape.Dimension}.", nameof(destination));
        }

        using var data = SKData.CreateCopy(EncodedImage.ForDecoder(file, where));
        using var codec = SKCodec.Create(data) ?? throw Damaged(where);
        if (codec.Info.Width != shape.Width || codec.Info.Height != shape.Height)
            throw Damaged(where);

        // No colour space is named for the result, so none is converted to.
        bool gray = codec.Info.ColorType == SKColorType.Gray8;
        var info = new SKImageInfo(shape.Width, shape.Height, gray ? SKColorType.Gray8 : SKColorType.Rgba8888,
            codec.Info.AlphaType == SKAlphaType.Opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul);
        byte[] pixels = ArrayPool<byte>.Shared.Rent(info.BytesSize);
        try
        {
            fixed (byte* start = pixels)
            {
                if (codec.GetPixels(info, (IntPtr)start) != SKCodecResult.Success)
                    throw Damaged(where);
            }

            CopyChannels(pixels.AsSpan(0, info.BytesSize), gray ? 1 : 4, destination, shape.Channels);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(pixels);
        }
    }

    /// <summary>Refuses an image that does not fit the set's shape.</summary>
    public static void CheckShape(ImageShape found, ImageShape expected, string where)
    {
        if (found.Width != expected.Width || found.Height != expected.Height || found.Channels > expected.Channels)
        {
            throw new InvalidInputException(
                $"{where} is {found} (channels x height x width), the first image {expected}; bring all images to one shape.");
        }
    }

    private static void CopyChannels(ReadOnlySpan<byte> source, int stride, Span<byte> destination, int channels)
    {
        if (stride == channels)
        {
            source.CopyTo(destination);
            return;
        }

        for (int from = 0, to = 0; from < source.Length; from += stride)
        {
            for (int c = 0; c < channels; c++)
                destination[to++] = source[from + Math.Min(c, stride - 1)];
        }
    }

    private static InvalidInputException Damaged(string where)
        => new($"{where} is damaged and cannot be decoded. Replace it or take it out.");
}
