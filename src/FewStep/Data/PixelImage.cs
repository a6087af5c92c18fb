using FewStep.Denoising;

namespace FewStep.Data;

/// <summary>8-bit pixels in managed memory, channels last.</summary>
internal sealed record PixelImage(ImageShape Shape, byte[] Bytes)
{
    private const int LargestSide = 32768;

    /// <summary>Lays images of one shape out in a grid.</summary>
    internal static PixelImage Grid(IReadOnlyList<PixelImage> images, GridLayout layout)
    {
        var shape = images[0].Shape;
        int columns = layout.ColumnsFor(images.Count);
        int rows = (images.Count + columns - 1) / columns;
        long width = (long)columns * (shape.Width * layout.Upscale + layout.Gutter) - layout.Gutter;
        long height = (long)rows * (shape.Height * layout.Upscale + layout.Gutter) - layout.Gutter;
        if (width > LargestSide || height > LargestSide || width * height * shape.Channels > Array.MaxLength)
        {
            throw new ArgumentException($"A grid of {images.Count} images would have {width} x {height} pixels; sides may be "
                + $"{LargestSide}. Show fewer images or enlarge them less.", nameof(images));
        }

        var grid = new PixelImage(new ImageShape(shape.Channels, (int)height, (int)width), new byte[width * height * shape.Channels]);
        Array.Fill(grid.Bytes, layout.Background);
        for (int i = 0; i < images.Count; i++)
        {
            int top = i / columns * (shape.Height * layout.Upscale + layout.Gutter);
            int left = i % columns * (shape.Width * layout.Upscale + layout.Gutter);
            grid.Place(images[i], top, left, layout.Upscale);
        }

        return grid;
    }

    private void Place(PixelImage image, int top, int left, int upscale)
    {
        int channels = Shape.Channels;
        int rowBytes = image.Shape.Width * upscale * channels;
        for (int y = 0; y < image.Shape.Height; y++)
        {
            var row = Bytes.AsSpan(((top + y * upscale) * Shape.Width + left) * channels, rowBytes);
            for (int x = 0; x < image.Shape.Width * upscale; x++)
                image.Bytes.AsSpan((y * image.Shape.Width + x / upscale) * channels, channels).CopyTo(row[(x * channels)..]);

            for (int repeat = 1; repeat < upscale; repeat++)
                row.CopyTo(Bytes.AsSpan(((top + y * upscale + repeat) * Shape.Width + left) * channels));
        }
    }
}
