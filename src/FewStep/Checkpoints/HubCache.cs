namespace FewStep.Checkpoints;

/// <summary>The cache of Hugging Face's hub: <c>models--organisation--name</c> with <c>snapshots/REVISION</c> and
/// <c>refs/main</c>.</summary>
internal static class HubCache
{
    private const string Prefix = "models--", Snapshots = "snapshots";
    private const int LongestName = 100;

    /// <summary>The snapshot that the root of a cached model stands for; every other path itself.</summary>
    public static string Snapshot(string path)
    {
        string snapshots = Path.Combine(path, Snapshots);
        if (!IsRoot(path) || !Directory.Exists(snapshots))
            return path;
        string main = Path.Combine(path, "refs", "main");
        if (new FileInfo(main) is { Exists: true, Length: > 0 and <= LongestName })
        {
            string revision = InputFile.ReadText(main, LongestName).Trim();
            if (revision.Length > 0 && revision.All(char.IsAsciiLetterOrDigit) && Directory.Exists(Path.Combine(snapshots, revision)))
                return Path.Combine(snapshots, revision);
        }

        string[] folders = Directory.GetDirectories(snapshots);
        return folders is [var only] ? only : throw new InvalidInputException(
            $"{path} is a model in the hub's cache with {folders.Length} snapshots; name one of the folders in {snapshots}.");
    }

    /// <summary>Name for people of the model in a folder.</summary>
    public static string NameOf(string folder)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string? parent = Path.GetDirectoryName(full);
        return Path.GetFileName(parent) == Snapshots && Path.GetDirectoryName(parent) is string root && IsRoot(root)
            ? Path.GetFileName(root).Split("--")[^1] : Path.GetFileName(full);
    }

    private static bool IsRoot(string path) =>
        Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))).StartsWith(Prefix, StringComparison.Ordinal);
}
