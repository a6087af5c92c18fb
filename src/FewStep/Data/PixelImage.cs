namespace FewStep.Data;

/// <summary>8-bit pixels in managed memory, channels last.</summary>
internal sealed record PixelImage(ImageShape Shape, byte[] Bytes)
{
    private const int LargestSide = 32768;

    /// <summary>An image of channels that lie one after the other.</summary>
    public static PixelImage FromPlanes(ImageShape shape, ReadOnlySpan<byte> planes)
    {
        byte[] bytes = new byte[planes.Length];
        for (int i = 0, plane = shape.Height * shape.Width; i < bytes.Length; i++)
            bytes[i] = planes[(i % shape.Channels * plane) + (i / shape.Channels)];
        return new PixelImage(shape, bytes);
    }

    /// <summary>Lays the channels one after the other, the image shifted (border pixels repeat), then mirrored left to right.</summary>
    public void ToPlanes(Span<byte> planes, bool mirror, int down = 0, int right = 0)
    {
        var (channels, height, width) = (Shape.Channels, Shape.Height, Shape.Width);
        int to = 0;
        for (int c = 0; c < channels; c++)
        {
            for (int y = 0; y < height; y++)
            {
                int row = Math.Clamp(y - down, 0, height - 1) * width;
                for (int x = 0; x < width; x++)
                {
                    int from = Math.Clamp(x - right, 0, width - 1);
                    planes[to++] = Bytes[((row + (mirror ? width - 1 - from : from)) * channels) + c];
                }
            }
        }
    }

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
