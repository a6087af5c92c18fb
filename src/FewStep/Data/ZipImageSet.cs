using System.IO.Compression;
using FewStep.Checkpoints;

namespace FewStep.Data;

/// <summary>
/// A zip of PNG or JPEG images of one shape, with class labels in dataset.json where there are any: the data set format of EDM. Nothing is
/// extracted to disk.
/// </summary>
/// <remarks>Images are ordered by name (ordinal) and gray where the first one is; transparency is dropped.</remarks>
internal sealed class ZipImageSet : EncodedImageSet
{
    private readonly Lock _archiveLock = new();
    private readonly ZipArchive _archive;
    private readonly ZipArchiveEntry[] _entries;
    private readonly string _path;

    /// <summary>Opens a zip and checks every image's header.</summary>
    public ZipImageSet(string path, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
        : base(path)
    {
        _path = path;
        FileStream? file = null;
        try
        {
            file = File.OpenRead(path);
            _archive = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException
            or OverflowException)
        {
            file?.Dispose(); // the archive does not when its constructor fails
            throw new InvalidInputException($"Cannot read {path} as a zip file: {e.Message.ReplaceLineEndings(" ")}", e);
        }

        try
        {
            var found = Entries();
            byte[]? datasetJson = found.Remove(DatasetLabels.FileName, out var json) ? ReadEntry(json, LargestJson) : null;
            _entries = [.. found.Values.OrderBy(e => e.FullName, StringComparer.Ordinal)];
            if (_entries.Length == 0)
                throw new InvalidInputException($"{path} holds no PNG or JPEG images.");
            string[] names = [.. _entries.Select(e => e.FullName)];
            var labels = datasetJson is null ? DatasetLabels.None : DatasetLabels.Parse(datasetJson, names, path);
            Scan(names, labels, datasetJson, progress, cancellation);
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or OverflowException)
        {
            _archive.Dispose();
            throw new InvalidInputException($"The directory of the zip file {path} is damaged: {e.Message.ReplaceLineEndings(" ")}", e);
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

    protected override byte[] Encoded(int index) => ReadEntry(_entries[index], LargestFile);

    // The images and dataset.json.
    private Dictionary<string, ZipArchiveEntry> Entries()
    {
        var found = new Dictionary<string, ZipArchiveEntry>(StringComparer.Ordinal);
        foreach (var entry in _archive.Entries)
        {
            ZipContent.CheckSize(entry, _path);
            string name = entry.FullName;
            bool isFolder = name.EndsWith('/');
            EntryName.Check(isFolder ? name[..^1] : name, _path);
            if (!isFolder && (name == DatasetLabels.FileName || EntryName.IsImage(name, _path)) && !found.TryAdd(name, entry))
                throw new InvalidInputException($"{_path} holds {EntryName.Shown(name)} twice; make the zip anew.");
        }

        return found;
    }

    /// <summary>Reads an entry whole. The archive's one stream is shared, hence the lock; decoding happens outside of it.</summary>
    private byte[] ReadEntry(ZipArchiveEntry entry, int largest)
    {
        if (entry.Length > largest)
        {
            throw new InvalidInputException(
                $"{EntryName.In(entry.FullName, _path)} unpacks to {entry.Length} bytes, more than the {largest} allowed.");
        }

        try
        {
            byte[] content = new byte[entry.Length];
            lock (_archiveLock)
            {
                using var stream = entry.Open();
                stream.ReadExactly(content);
                if (stream.ReadByte() >= 0)
                    throw new InvalidDataException("It is longer than the zip's directory says.");
            }

            return content;
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new InvalidInputException($"{EntryName.In(entry.FullName, _path)} cannot be unpacked: "
                + $"{e.Message.ReplaceLineEndings(" ")} Make the zip anew.", e);
        }
    }
}
