using System.Runtime.InteropServices;

namespace FewStep.Platform;

/// <summary>Writes files whole or not at all: to a temporary name in the same folder, then renamed over the target, which outlasts a loss
/// of power.</summary>
internal static partial class AtomicFile
{
    private const string Extension = ".tmp";

    /// <summary>Called before a file gets its name, for tests of what a process leaves that is killed there.</summary>
    internal static Action? BeforeRename { get; set; }

    /// <summary>Writes <paramref name="path"/> through <paramref name="write"/>; on any failure the target is as it was and the temporary
    /// file is gone. A symbolic link stays, and what it points to is written; so do pipes and devices.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        string? temporary = null;
        try
        {
            string full = Target(path);
            if (new FileInfo(full) is { Exists: true, Length: 0 })
            {
                // A pipe or a device, which is written and not replaced; or an empty file, of which nothing can be lost.
                using var through = new FileStream(full, FileMode.Open, FileAccess.Write);
                write(through);
                through.Flush(flushToDisk: true);
                return;
            }

            temporary = $"{full}.{Guid.NewGuid():N}{Extension}";
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            BeforeRename?.Invoke();
            File.Move(temporary, full, overwrite: true);
            FlushFolder(Path.GetDirectoryName(full)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"Cannot write {path}: {e.Message.ReplaceLineEndings(" ")} {WriteFailure.Remedy(e)}", e);
        }
        finally
        {
            // Deleting from a folder that is not there would be a failure of its own.
            if (temporary is not null && File.Exists(temporary))
                File.Delete(temporary);
        }
    }

    /// <summary>Writes text as UTF-8 without a byte-order mark; see <see cref="Write"/>.</summary>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>Whether a file's name is that of one which a process was killed while writing.</summary>
    public static bool IsLeftOver(string name) => Path.GetExtension(name) == Extension
        && Path.GetFileNameWithoutExtension(name) is var rest && Path.GetExtension(rest) is { Length: > 1 } unique && rest != unique
        && Guid.TryParseExact(unique.AsSpan(1), "N", out _);

    /// <summary>Removes the files that processes were killed while writing, from a folder and all in it but one that others may be writing
    /// in. No other process may be writing elsewhere there.</summary>
    /// <param name="shared">Name of the sub-folder that is left alone.</param>
    public static void RemoveLeftOvers(string folder, string shared)
    {
        var everywhere = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        var here = new EnumerationOptions { AttributesToSkip = FileAttributes.ReparsePoint };
        var inside = Directory.EnumerateDirectories(folder, "*", here).Where(d => Path.GetFileName(d) != shared)
            .SelectMany(d => Directory.EnumerateFiles(d, $"*{Extension}", everywhere));
        foreach (string file in Directory.EnumerateFiles(folder, $"*{Extension}", here).Concat(inside))
        {
            if (IsLeftOver(Path.GetFileName(file)))
                File.Delete(file);
        }
    }

    private static string Target(string path)
    {
        var file = new FileInfo(Path.GetFullPath(path));
        return file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
    }

    // The new name is on the disk once its folder is.
    private static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        int handle = Open(folder, 0);
        if (handle < 0)
            return;
        _ = Flush(handle);
        _ = Close(handle);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Flush(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int handle);
}
