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
