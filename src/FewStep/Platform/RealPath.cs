namespace FewStep.Platform;

/// <summary>Paths without symbolic links in them, so that a place has one name.</summary>
internal static class RealPath
{
    private const int MostLinks = 40;

    /// <summary>The full path without links, as far as it exists.</summary>
    /// <exception cref="IOException">Links lead in circles.</exception>
    public static string Of(string path) => Of(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), MostLinks);

    private static string Of(string path, int links)
    {
        string real = Path.GetPathRoot(path)!;
        foreach (string part in path[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            real = Path.Combine(real, part);
            var folder = new DirectoryInfo(real);
            if (folder.LinkTarget is null)
                continue;
            string target = folder.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
            real = links > 0 ? Of(target, links - 1) : throw new IOException($"{path} is a link within a link within a link.");
        }

        return real;
    }
}
