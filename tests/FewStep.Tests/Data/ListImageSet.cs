using FewStep.Data;
using FewStep.Denoising;

namespace FewStep.Tests.Data;

/// <summary>Images in memory. Reads of the image <paramref name="broken"/> fail.</summary>
internal sealed class ListImageSet(ImageShape shape, IReadOnlyList<byte[]> images, int[]? labels = null, int broken = -1) : IImageSet
{
    public ImageShape Shape => shape;

    public int Count => images.Count;

    public int Classes => labels is null ? 0 : labels.Max() + 1;

    public string Hash => "0123456789abcdef";

    /// <summary>Images 0, 1, 2... whose pixels all hold their index in the first channel and a ramp along x in the others.</summary>
    public static ListImageSet Numbered(int count, int channels = 1, int height = 2, int width = 3, bool labelled = true, int broken = -1)
        => new(
        new ImageShape(channels, height, width),
        [.. Enumerable.Range(0, count).Select(n => Enumerable.Range(0, channels * height * width)
            .Select(i => (byte)(i % channels == 0 ? n : i % channels + i / channels % width)).ToArray())],
        labelled ? [.. Enumerable.Range(0, count).Select(n => n % 7)] : null,
        broken);

    public void Read(int index, Span<byte> destination)
    {
        if (index == broken)
            throw new InvalidInputException($"image {index} is broken");
        images[index].CopyTo(destination);
    }

    public int Label(int index) => labels?[index] ?? -1;

    public void Dispose()
    {
    }
}
