namespace FewStep.Platform;

/// <summary>A file that cannot be read, in one line.</summary>
internal static class ReadFailure
{
    public static InvalidInputException Of(string path, Exception failure)
    {
        // The system calls a folder a file without permission.
        string reason = Directory.Exists(path) ? "it is a folder, not a file; name the file in it."
            : failure.Message.ReplaceLineEndings(" ");
        return new InvalidInputException($"Cannot read {path}: {reason}", failure);
    }

    /// <summary>Reads something from a file; what fails becomes such a failure.</summary>
    public static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw Of(path, e);
        }
    }
}

/// <summary>What to do about a file that could not be written.</summary>
internal static class WriteFailure
{
    // errno of Linux and macOS, and Windows' results: disk full, handle disk full, quota.
    private static readonly int[] FullUnix = [28, 122, 69];
    private static readonly int[] FullWindows = [unchecked((int)0x80070070), unchecked((int)0x80070027), unchecked((int)0x8007050F)];

    /// <summary>The remedy, as a sentence: free space where the disk or the quota is full, and another folder otherwise.</summary>
    public static string Remedy(Exception failure)
        => IsFull(failure) ? "Free some space, or choose another folder." : "Choose another folder.";

    private static bool IsFull(Exception failure) =>
        failure is IOException && (OperatingSystem.IsWindows() ? FullWindows : FullUnix).Contains(failure.HResult);
}
