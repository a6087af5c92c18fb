namespace FewStep.Data;

/// <summary>PNG or JPEG images of one shape, which are all checked when the set is opened: headers, completeness and
/// checksums, but not their pixels.</summary>
internal abstract class EncodedImageSet(string path) : IImageSet, INamedImages
{
    public const int LargestFile = 64 << 20;
    private const int ReportEvery = 1000;
    private DatasetLabels _labels = DatasetLabels.None;

    public ImageShape Shape { get; private set; } = null!;
    public int Count => Names.Count;
    public int Classes => _labels.Classes;
    public IReadOnlyList<string> Names { get; private set; } = [];

    /// <summary>SHA-256 over names, encoded images and dataset.json: the same for a folder and a zip of the same files.</summary>
    public string Hash { get; private set; } = "";

    public void Read(int index, Span<byte> destination)
        => ImageDecoder.Decode(Encoded(index), EntryName.In(Names[index], path), Shape, destination);

    public int Label(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return _labels.Of(index);
    }

    public abstract void Dispose();

    /// <summary>The content of an image's file.</summary>
    protected abstract byte[] Encoded(int index);

    /// <summary>Checks and hashes all images in one pass, and finds their shape.</summary>
    protected void Scan(IReadOnlyList<string> names, DatasetLabels labels, byte[]? datasetJson, IProgress<WorkProgress>? progress,
        CancellationToken cancellation)
    {
        (Names, _labels) = (names, labels);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < names.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            byte[] file = Encoded(i);
            string where = EntryName.In(names[i], path);
            var found = ImageHeader.Read(file, where);
            EncodedImage.Check(file, where);
            ImageDecoder.CheckShape(found, Shape ??= found, where);
            Append(hash, Encoding.UTF8.GetBytes(names[i]));
            Append(hash, file);
            if ((i + 1) % ReportEvery == 0 || i + 1 == names.Count)
                progress?.Report(new WorkProgress("check images", i + 1, names.Count, "img"));
        }

        if (datasetJson is not null)
            Append(hash, datasetJson);
        Hash = Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // The length goes before the bytes: without it two different lists of parts could hash alike.
    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, part.Length);
        hash.AppendData(length);
        hash.AppendData(part);
    }
}
