using FewStep.Checkpoints;

namespace FewStep.Data;

/// <summary>
/// A zip of PNG or JPEG images of one shape, with class labels in dataset.json where there are any: the data set format of EDM. Nothing is
/// extracted to disk.
/// </summary>
/// <remarks>Images are ordered by name (ordinal) and gray where the first one is; transparency is dropped. Hidden files are left
/// out.</remarks>
internal sealed class ZipImageSet : EncodedImageSet
{
    private readonly Lock _archiveLock = new();
    private readonly ZipContent _archive;
    private readonly string[] _names;

    /// <summary>Opens a zip and checks every image.</summary>
    public ZipImageSet(string path, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
        : base(path)
    {
        _archive = ZipContent.Open(path);
        try
        {
            var (images, labels) = Find(path);
            _names = [.. images.Order(StringComparer.Ordinal)];
            if (_names.Length == 0)
                throw new InvalidInputException($"{path} holds no PNG or JPEG images.");
            string? file = DatasetLabels.Place(labels, _names, path);
            byte[]? json = file is null ? null : _archive.ReadAll(file, DatasetLabels.LargestFile(_names.Length));
            Scan(_names, json is null ? DatasetLabels.None : DatasetLabels.Parse(json, _names, file!, path), json, progress, cancellation);
        }
        catch
        {
            _archive.Dispose();
            throw;
        }
    }

    public override void Dispose()
    {
        lock (_archiveLock)
        {
            _archive.Dispose();
        }
    }

    // The archive's one stream is shared, hence the lock; decoding happens outside of it.
    protected override byte[] Encoded(int index)
    {
        lock (_archiveLock)
        {
            return _archive.ReadAll(_names[index], LargestFile);
        }
    }

    // The images, and the files called dataset.json wherever they lie.
    private (List<string> Images, List<string> Labels) Find(string path)
    {
        var (images, labels) = (new List<string>(), new List<string>());
        foreach (string name in _archive.Names)
        {
            EntryName.Check(name, path);
            if (EntryName.IsHidden(name))
                continue;
            if (DatasetLabels.IsFile(name))
                labels.Add(name);
            else if (EntryName.IsImage(name, path))
                images.Add(name);
        }

        return (images, labels);
    }
}
