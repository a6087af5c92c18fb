namespace FewStep.Platform;

/// <summary>Keeps a folder of results to one process at a time: two that write the same files would lose each other's.</summary>
/// <remarks>The operating system's lock on an empty file holds as long as the process lives, so that one of a process that was killed
/// is no obstacle. Who holds it stands in a file beside.</remarks>
internal sealed class FolderLock : IDisposable
{
    public const string FileName = ".fewstep.lock", HolderName = ".fewstep.holder";

    /// <summary>Sub-folder whose own folders other processes may hold meanwhile.</summary>
    public const string SharedName = "parts";

    private readonly string _folder;
    private readonly string? _made;
    private readonly FileStream _file;

    private FolderLock(string folder, string? made, FileStream file) => (_folder, _made, _file) = (folder, made, file);

    /// <summary>Takes the folder, made where it is missing, and removes what a process that was killed left half-written in it.</summary>
    /// <exception cref="InvalidInputException">Another process, or another call in this one, holds it.</exception>
    public static FolderLock Take(string folder)
    {
        string full = Path.GetFullPath(folder), path = Path.Combine(full, FileName), holder = Path.Combine(full, HolderName);
        string? made = FirstMissing(full);
        while (true)
        {
            Directory.CreateDirectory(full);
            FileStream file;
            try
            {
                file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
            }
            catch (IOException e) when (File.Exists(path))
            {
                throw new InvalidInputException(
                    $"{folder} is in use by {Holder(holder)}: wait until it is done, or choose another folder.", e);
            }

            // Whoever let go of it in this moment has removed the file that is locked here.
            if (!File.Exists(path))
            {
                file.Dispose();
                continue;
            }

            AtomicFile.RemoveLeftOvers(full, SharedName);
            File.WriteAllText(
                holder, InvariantText.Of($"process {Environment.ProcessId} on {Environment.MachineName}, since {DateTimeOffset.Now:u}"));
            return new FolderLock(full, made, file);
        }
    }

    /// <summary>Whether a folder holds nothing that counts: neither a lock nor a file that was never finished does.</summary>
    public static bool IsEmpty(string folder) => !Directory.EnumerateFileSystemEntries(folder).Select(e => Path.GetFileName(e))
        .Any(name => name is not (FileName or HolderName) && !AtomicFile.IsLeftOver(name));

    /// <summary>Lets go of the folder; one that was made and holds nothing is removed again.</summary>
    public void Dispose()
    {
        File.Delete(Path.Combine(_folder, HolderName));
        File.Delete(Path.Combine(_folder, FileName));
        _file.Dispose();
        for (string? place = _folder; _made is not null && place is not null && place.Length >= _made.Length;
            place = Path.GetDirectoryName(place))
        {
            if (Directory.EnumerateFileSystemEntries(place).Any())
                return;
            Directory.Delete(place);
        }
    }

    private static string? FirstMissing(string folder)
    {
        string? missing = null;
        for (string? place = folder; place is not null && !Directory.Exists(place); place = Path.GetDirectoryName(place))
            missing = place;
        return missing;
    }

    private static string Holder(string path)
    {
        try
        {
            return Printable.Line(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "another process";
        }
    }
}
