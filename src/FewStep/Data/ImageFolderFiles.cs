using System.IO.Enumeration;

namespace FewStep.Data;

/// <summary>The PNG and JPEG files below a folder, by relative paths with forward slashes. Links to folders are followed; hidden files are
/// left out.</summary>
internal sealed class ImageFolderFiles
{
    private readonly string _path;

    public ImageFolderFiles(string path, Func<string, string>? order = null)
    {
        _path = path;
        var (images, labels) = (new List<string>(), new List<string>());
        try
        {
            foreach (string name in FolderTree.Files(Path.GetFullPath(path)))
            {
                if (DatasetLabels.IsFile(name))
                    labels.Add(name);
                else if (EntryName.IsImage(name, path))
                    images.Add(name);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"Cannot read the folder {path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }

        Names = [.. images.OrderBy(order ?? (name => name), StringComparer.Ordinal)];
        if (Names.Length == 0)
            throw new InvalidInputException($"{path} holds no PNG or JPEG images.");
        LabelFile = DatasetLabels.Place(labels, Names, path);
    }

    public string[] Names { get; }

    /// <summary>The file with the images' labels, dataset.json; null where there is none.</summary>
    public string? LabelFile { get; }

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
        => InputFile.ReadAll(Path.Combine(_path, name), largest);

    private static string TopFolder(string name) => name[..name.IndexOf('/', StringComparison.Ordinal)];
}

/// <summary>Walks the files below a folder.</summary>
internal static class FolderTree
{
    private const int DeepestFolder = 16;

    private static readonly EnumerationOptions Options = new()
    {
        IgnoreInaccessible = false,
        AttributesToSkip = FileAttributes.Hidden | FileAttributes.System,
    };

    /// <summary>Paths of all files from the root, with forward slashes; hidden files and folders are left out. Links to folders are
    /// followed, but not those that lead back up, and below one top folder no folder is walked twice.</summary>
    public static IEnumerable<string> Files(string root)
    {
        string real = RealPath.Of(root);
        var seen = new HashSet<(string Top, string Real)>();
        var open = new Stack<(string Name, string Real, int Depth)>([("", real, 0)]);
        while (open.TryPop(out var folder))
        {
            string prefix = folder.Name.Length == 0 ? "" : $"{folder.Name}/";
            foreach (var (part, isFolder, isLink) in Entries(folder.Real))
            {
                string name = prefix + part, place = Path.Combine(folder.Real, part);
                if (EntryName.IsHidden(part))
                    continue;
                if (!isFolder)
                {
                    yield return name;
                }
                else if (folder.Depth < DeepestFolder)
                {
                    string target = isLink ? RealPath.Of(place) : place;
                    if (!IsWithin(real, target) && seen.Add((name.Split('/', 2)[0], target)))
                        open.Push((name, target, folder.Depth + 1));
                }
            }
        }
    }

    private static FileSystemEnumerable<(string Name, bool IsFolder, bool IsLink)> Entries(string folder) => new(folder,
        (ref entry) => (entry.FileName.ToString(), entry.IsDirectory,
            entry.IsDirectory && (entry.Attributes & FileAttributes.ReparsePoint) != 0), Options);

    // Whether one folder is another, or lies below it.
    private static bool IsWithin(string path, string folder)
        => path == folder || folder == Path.GetPathRoot(folder)
            || path.StartsWith($"{Path.TrimEndingDirectorySeparator(folder)}{Path.DirectorySeparatorChar}", StringComparison.Ordinal);
}
