namespace FewStep.Data;

/// <summary>Greyscale images and labels from a pair of idx files, held in memory.</summary>
internal sealed class IdxImageSet : IImageSet
{
    private readonly byte[] _pixels;
    private readonly byte[]? _labels;

    public IdxImageSet(string imagesPath, string? labelsPath)
    {
        (int[] sizes, _pixels) = IdxFile.Read(imagesPath, 3);
        Count = sizes[0];
        Shape = new ImageShape(1, sizes[1], sizes[2]);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_pixels);
        if (labelsPath is not null)
        {
            (int[] labelSizes, _labels) = IdxFile.Read(labelsPath, 1);
            if (labelSizes[0] != Count)
                throw new InvalidInputException($"{labelsPath} has {labelSizes[0]} labels for the {Count} images of {imagesPath}.");
            Classes = _labels.Max() + 1;
            hash.AppendData(_labels);
        }

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
