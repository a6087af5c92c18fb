using System.IO.Enumeration;
using FewStep.Runtime;

namespace FewStep.Data;

/// <summary>
/// PNG and JPEG files of any size below a folder, in the order of EDM's dataset_tool: by path, part by part. Where there are two or more top-level folders each is a class, numbered in the
/// order of the names, as ImageNet's synsets are.
/// </summary>
/// <remarks>JPEG files with CMYK colours, of which ImageNet has some, are converted to RGB. Hidden files and links to folders are left out.</remarks>
public sealed class ClassFolderSource : IImageSource
{
    private const int DeepestFolder = 16;
    private readonly string _path;
    private readonly string[] _names;
    private readonly int[]? _labels;

    /// <summary>Lists a folder.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="InvalidInputException">It is missing, holds no images, or holds images beside its class folders.</exception>
    public ClassFolderSource(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        _path = path;
        _names = List(path);
        string[] folders = [.. _names.Where(n => n.Contains('/')).Select(TopFolder).Distinct().Order(StringComparer.Ordinal)];
        if (folders.Length < 2)
        {
            return;
        }

        if (_names.FirstOrDefault(n => !n.Contains('/')) is { } loose)
        {
            throw new InvalidInputException($"{EncodedImageScan.Where(loose, path)} lies beside the class folders; move it into one of them.");
        }

        if (folders.Length > DatasetLabels.MostClasses)
        {
            throw new InvalidInputException($"{path} has {folders.Length} class folders, more than the {DatasetLabels.MostClasses} allowed.");
        }

        var classes = folders.Select((folder, index) => (folder, index)).ToDictionary(p => p.folder, p => p.index);
        _labels = [.. _names.Select(n => classes[TopFolder(n)])];
        ClassNames = folders;
    }

    /// <inheritdoc/>
    public int Count => _names.Length;

    /// <summary>Names of the class folders; null where there are no classes.</summary>
    public IReadOnlyList<string>? ClassNames { get; }

    /// <inheritdoc/>
    public int Label(int index) => _labels?[index] ?? -1;

    /// <inheritdoc/>
    public PixelImage Read(int index)
    {
        string where = EncodedImageScan.Where(_names[index], _path);
        byte[] file = Content(_names[index], where);
        var shape = ImageHeader.Read(file, where, acceptCmyk: true);
        var image = new PixelImage(shape, new byte[shape.Dimension]);
        ImageDecoder.Decode(file, where, shape, image.Bytes, acceptCmyk: true);
        return image;
    }

    /// <summary>Does nothing: files are opened one at a time.</summary>
    public void Dispose()
    {
    }

    private static string TopFolder(string name) => name[..name.IndexOf('/', StringComparison.Ordinal)];

    private static string[] List(string path)
    {
        try
        {
            string root = Path.GetFullPath(path);
            var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, MaxRecursionDepth = DeepestFolder, AttributesToSkip = FileAttributes.Hidden | FileAttributes.System };
            var files = new FileSystemEnumerable<string>(root, (ref entry) => Path.GetRelativePath(root, entry.ToFullPath()).Replace(Path.DirectorySeparatorChar, '/'), options)
            {
                ShouldIncludePredicate = (ref entry) => !entry.IsDirectory,
                ShouldRecursePredicate = (ref entry) => (entry.Attributes & FileAttributes.ReparsePoint) == 0,
            };

            // Part by part: a folder's images stay together even beside a folder whose name goes on with a sign below '/'.
            string[] names = [.. files.Where(name => EntryName.IsImage(name, path)).OrderBy(name => name.Replace('/', '\0'), StringComparer.Ordinal)];
            return names.Length > 0 ? names : throw new InvalidInputException($"{path} holds no PNG or JPEG images.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"Cannot read the folder {path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private byte[] Content(string name, string where)
    {
        try
        {
            using var stream = File.OpenRead(Path.Combine(_path, name));
            if (stream.Length > EncodedImageScan.LargestFile)
            {
                throw new InvalidInputException($"{where} has {stream.Length} bytes, more than the {EncodedImageScan.LargestFile} allowed.");
            }

            byte[] content = new byte[stream.Length];
            stream.ReadExactly(content);
            return content;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"Cannot read {where}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
