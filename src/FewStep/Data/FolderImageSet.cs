using System.IO.Enumeration;
using FewStep.Denoising;
using FewStep.Runtime;

namespace FewStep.Data;

/// <summary>
/// A folder of PNG or JPEG images of one shape. Classes come from dataset.json where there is one (see <see cref="ZipImageSet"/>), else from sub-folders: with two or
/// more of them each is a class, numbered in ordinal order of the names.
/// </summary>
/// <remarks>Images are ordered by relative path (ordinal, forward slashes). Hidden files and links to folders are left out.</remarks>
public sealed class FolderImageSet : IImageSet
{
    private const string JsonName = DatasetLabels.FileName;
    private const int DeepestFolder = 16;
    private readonly string _path;
    private readonly string[] _names;
    private readonly DatasetLabels _labels;

    /// <summary>Opens a folder and checks every image's header.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="progress">Receives the number of images checked; null to not report.</param>
    /// <param name="cancellation">Stops the check.</param>
    /// <exception cref="InvalidInputException">
    /// The folder is missing or holds no images; an image is too large, damaged or of another shape; images lie both in class folders and beside them; or dataset.json is bad.
    /// </exception>
    public FolderImageSet(string path, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        _path = path;
        _names = SortedImages(path);
        byte[]? datasetJson = File.Exists(Path.Combine(path, JsonName)) ? ReadFile(JsonName, EncodedImageScan.LargestJson) : null;
        _labels = datasetJson is null ? FolderLabels() : DatasetLabels.Parse(datasetJson, _names, path);
        (Shape, Hash) = EncodedImageScan.Run(_names, i => ReadFile(_names[i], EncodedImageScan.LargestFile), datasetJson, path, progress, cancellation);
    }

    /// <inheritdoc/>
    public ImageShape Shape { get; }

    /// <inheritdoc/>
    public int Count => _names.Length;

    /// <inheritdoc/>
    public int Classes => _labels.Classes;

    /// <summary>SHA-256 over names, encoded images and dataset.json, hexadecimal; the same as that of a zip with the same files.</summary>
    public string Hash { get; }

    /// <inheritdoc/>
    /// <exception cref="InvalidInputException">The image is damaged, changed or gone since the folder was opened; the message names it.</exception>
    public void Read(int index, Span<byte> destination) =>
        ImageDecoder.Decode(ReadFile(_names[index], EncodedImageScan.LargestFile), EncodedImageScan.Where(_names[index], _path), Shape, destination);

    /// <inheritdoc/>
    public int Label(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return _labels.Of(index);
    }

    /// <summary>Does nothing: no file stays open.</summary>
    public void Dispose()
    {
    }

    private static string[] SortedImages(string path)
    {
        try
        {
            string root = Path.GetFullPath(path);
            var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, MaxRecursionDepth = DeepestFolder, AttributesToSkip = FileAttributes.Hidden | FileAttributes.System };
            var files = new FileSystemEnumerable<string>(root, (ref entry) => Path.GetRelativePath(root, entry.ToFullPath()).Replace(Path.DirectorySeparatorChar, '/'), options)
            {
                ShouldIncludePredicate = (ref entry) => !entry.IsDirectory,

                // A link to a folder may lead back to where it lies.
                ShouldRecursePredicate = (ref entry) => (entry.Attributes & FileAttributes.ReparsePoint) == 0,
            };
            string[] names = [.. files.Where(name => EntryName.IsImage(name, path)).Order(StringComparer.Ordinal)];
            return names.Length > 0 ? names : throw new InvalidInputException($"{path} holds no PNG or JPEG images.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"Cannot read the folder {path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private DatasetLabels FolderLabels()
    {
        string[] folders = [.. _names.Where(n => n.Contains('/')).Select(TopFolder).Distinct().Order(StringComparer.Ordinal)];
        if (folders.Length < 2)
        {
            return DatasetLabels.None;
        }

        if (_names.FirstOrDefault(n => !n.Contains('/')) is { } loose)
        {
            throw new InvalidInputException($"{EncodedImageScan.Where(loose, _path)} lies beside the class folders; move it into one of them.");
        }

        if (folders.Length > DatasetLabels.MostClasses)
        {
            throw new InvalidInputException($"{_path} has {folders.Length} class folders, more than the {DatasetLabels.MostClasses} allowed.");
        }

        var classes = folders.Select((folder, index) => (folder, index)).ToDictionary(p => p.folder, p => p.index);
        return new DatasetLabels([.. _names.Select(n => classes[TopFolder(n)])], folders.Length);
    }

    private static string TopFolder(string name) => name[..name.IndexOf('/', StringComparison.Ordinal)];

    private byte[] ReadFile(string name, int largest)
    {
        try
        {
            using var stream = File.OpenRead(Path.Combine(_path, name));
            if (stream.Length > largest)
            {
                throw new InvalidInputException($"{EncodedImageScan.Where(name, _path)} has {stream.Length} bytes, more than the {largest} allowed.");
            }

            byte[] content = new byte[stream.Length];
            stream.ReadExactly(content);
            return content;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"Cannot read {EncodedImageScan.Where(name, _path)}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
