using System.IO.Compression;
using FewStep.Checkpoints;
using FewStep.Denoising;

namespace FewStep.Data;

/// <summary>
/// A zip of PNG or JPEG images of one shape, with class labels in dataset.json where there are any: the data set format of EDM. Nothing is
/// extracted to disk.
/// </summary>
/// <remarks>Images are ordered by name (ordinal). Gray images stay 1 channel when the first image is gray; transparency is
/// dropped.</remarks>
internal sealed class ZipImageSet : IImageSet
{
    private const string JsonName = DatasetLabels.FileName;
    private readonly Lock _archiveLock = new();
    private readonly ZipArchive _archive;
    private readonly ZipArchiveEntry[] _entries;
    private readonly string _path;
    private readonly DatasetLabels _labels;

    /// <summary>Opens a zip and checks every image's header.</summary>
    public ZipImageSet(string path, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
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
            ZipArchiveEntry? json = null;
            _entries = SortedImages(ref json);
            byte[]? datasetJson = json is null ? null : ReadEntry(json, EncodedImageScan.LargestJson);
            string[] names = [.. _entries.Select(e => e.FullName)];
            _labels = datasetJson is null ? DatasetLabels.None : DatasetLabels.Parse(datasetJson, names, path);
            (Shape, Hash) = EncodedImageScan.Run(
                names, i => ReadEntry(_entries[i], EncodedImageScan.LargestFile), datasetJson, path, progress, cancellation);
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

    public ImageShape Shape { get; }
    public int Count => _entries.Length;
    public int Classes => _labels.Classes;

    /// <summary>SHA-256 over names, encoded images and dataset.json, hexadecimal; the same as that of a folder with the same
    /// files.</summary>
    public string Hash { get; }

    public void Read(int index, Span<byte> destination) =>
        ImageDecoder.Decode(ReadEntry(_entries[index], EncodedImageScan.LargestFile),
            EncodedImageScan.Where(_entries[index].FullName, _path), Shape, destination);

    public int Label(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return _labels.Of(index);
    }

    public void Dispose()
    {
        lock (_archiveLock)
        {
            _archive.Dispose();
        }
    }

    private ZipArchiveEntry[] SortedImages(ref ZipArchiveEntry? json)
    {
        var images = new SortedDictionary<string, ZipArchiveEntry>(StringComparer.Ordinal);
        foreach (var entry in _archive.Entries)
        {
            ZipContent.CheckSize(entry, _path);
            if (entry.FullName.EndsWith('/'))
            {
                EntryName.Check(entry.FullName[..^1], _path);
                continue;
            }

            EntryName.Check(entry.FullName, _path);
            bool twice = false;
            if (entry.FullName == JsonName)
            {
                twice = json is not null;
                json = entry;
            }
            else if (EntryName.IsImage(entry.FullName, _path))
            {
                twice = !images.TryAdd(entry.FullName, entry);
            }

            if (twice)
                throw new InvalidInputException($"{_path} holds {EntryName.Shown(entry.FullName)} twice; make the zip anew.");
        }

        return images.Count > 0 ? [.. images.Values] : throw new InvalidInputException($"{_path} holds no PNG or JPEG images.");
    }

    /// <summary>Reads an entry whole. The archive's one stream is shared, hence the lock; decoding happens outside of it.</summary>
    private byte[] ReadEntry(ZipArchiveEntry entry, int largest)
    {
        if (entry.Length > largest)
        {
            throw new InvalidInputException(
                $"{EncodedImageScan.Where(entry.FullName, _path)} unpacks to {entry.Length} bytes, more than the {largest} allowed.");
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
            throw new InvalidInputException($"{EncodedImageScan.Where(entry.FullName, _path)} cannot be unpacked: "
                + $"{e.Message.ReplaceLineEndings(" ")} Make the zip anew.", e);
        }
    }
}
