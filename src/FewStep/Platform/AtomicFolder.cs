namespace FewStep.Platform;

/// <summary>Makes folders whole or not at all: under a temporary name beside the target, which then gets the target's name.</summary>
internal static class AtomicFolder
{
    /// <summary>Refuses a place where something is already; an empty folder is free.</summary>
    /// <param name="option">The option that names it, for the message.</param>
    /// <param name="folder">The place.</param>
    public static void RequireFree(string option, string folder)
    {
        if (File.Exists(folder) || (Directory.Exists(folder) && !FolderLock.IsEmpty(folder)))
            throw new InvalidInputException($"{option} {folder} is there already; choose another folder, or empty it.");
    }

    /// <summary>Makes a folder, which must not exist or be empty, of what <paramref name="write"/> puts into the one that it is
    /// given.</summary>
    public static void Write(string folder, Action<string> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)), temporary = $"{target}.{Guid.NewGuid():N}.tmp";
        try
        {
            write(temporary);
            if (Directory.Exists(target))
                Directory.Delete(target);
            Directory.Move(temporary, target);
        }
        finally
        {
            if (Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
        }
    }
}
