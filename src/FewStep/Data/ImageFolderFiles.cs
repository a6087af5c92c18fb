using System.IO.Enumeration;

namespace FewStep.Data;

/// <summary>The PNG and JPEG files below a folder, by relative paths with forward slashes; no hidden files and links to folders.</summary>
internal sealed class ImageFolderFiles
{
    private const int DeepestFolder = 16;
    private readonly string _path;

    public ImageFolderFiles(string path, Func<string, string>? order = null)
    {
        _path = path;
        try
        {
            string root = Path.GetFullPath(path);
            var options = new EnumerationOptions
            {
                RecurseSubdirectories = true,
                IgnoreInaccessible = false,
                MaxRecursionDepth = DeepestFolder,
                AttributesToSkip = FileAttributes.Hidden | FileAttributes.System
            };
            var files = new FileSystemEnumerable<string>(
                root, (ref entry) => Path.GetRelativePath(root, entry.ToFullPath()).Replace(Path.DirectorySeparatorChar, '/'), options)
            {
                ShouldIncludePredicate = (ref entry) => !entry.IsDirectory,

                // A link to a folder may lead back to where it lies.
                ShouldRecursePredicate = (ref entry) => (entry.Attributes & FileAttributes.ReparsePoint) == 0,
            };
            Names = [.. files.Where(name => EntryName.IsImage(name, path)).OrderBy(order ?? (name => name), StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"Cannot read the folder {path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }

        if (Names.Length == 0)
            throw new InvalidInputException($"{path} holds no PNG or JPEG images.");
    }

    public string[] Names { get; }

    /// <summary>The top-level folders as classes in order of name, and each file's class; null for fewer than two.</summary>
    public (string[] Classes, int[] Labels)? Classes()
    {
        string[] folders = [.. Names.Where(n => n.Contains('/')).Select(TopFolder).Distinct().Order(StringComparer.Ordinal)];
        if (folders.Length < 2)
            return null;
        if (Names.FirstOrDefault(n => !n.Contains('/')) is { } loose)
            throw new InvalidInputException($"{EntryName.In(loose, _path)} lies beside the class folders; move it into one of them.");
        if (folders.Length > DatasetLabels.MostClasses)
        {
            throw new InvalidInputException(
                $"{_path} has {folders.Length} class folders, more than the {DatasetLabels.MostClasses} allowed.");
        }

        var classes = folders.Select((folder, index) => (folder, index)).ToDictionary(p => p.folder, p => p.index);
        return (folders, [.. Names.Select(n => classes[TopFolder(n)])]);
    }

    /// <summary>The content of a file below the folder.</summary>
    public byte[] Read(string name, int largest = EncodedImageSet.LargestFile)
    {
        string where = EntryName.In(name, _path);
        return ReadFailure.Guard(where, () =>
        {
            using var stream = File.OpenRead(Path.Combine(_path, name));
            if (stream.Length > largest)
                throw new InvalidInputException($"{where} has {stream.Length} bytes, more than the {largest} allowed.");
            byte[] content = new byte[stream.Length];
            stream.ReadExactly(content);
            return content;
        });
    }

    private static string TopFolder(string name) => name[..name.IndexOf('/', StringComparison.Ordinal)];
}
