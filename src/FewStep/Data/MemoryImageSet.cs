namespace FewStep.Data;

/// <summary>Images and labels that are held in memory.</summary>
internal sealed class MemoryImageSet : IImageSet
{
    private readonly byte[] _pixels;
    private readonly int[]? _labels;

    /// <param name="pixels">Those of all images, channels last.</param>
    /// <param name="labels">One an image; null for images without any.</param>
    /// <param name="labelBytes">The labels as the hash takes them, behind the pixels.</param>
    public MemoryImageSet(ImageShape shape, byte[] pixels, int[]? labels, ReadOnlySpan<byte> labelBytes)
    {
        (Shape, _pixels, _labels) = (shape, pixels, labels);
        Count = (int)(pixels.Length / shape.Dimension);
        Classes = labels is null ? 0 : labels.Max() + 1;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(pixels);
        hash.AppendData(labelBytes);
        Hash = Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public ImageShape Shape { get; }
    public int Count { get; }
    public int Classes { get; }
    public string Hash { get; }

    public void Read(int index, Span<byte> destination)
    {
        int size = (int)Shape.Dimension;
        _pixels.AsSpan(checked(index * size), size).CopyTo(destination);
    }

    public int Label(int index) => _labels is null ? -1 : _labels[index];

    public void Dispose()
    {
        // Everything is managed memory.
    }
}
