namespace FewStep.Platform;

/// <summary>A file that cannot be read, in one line.</summary>
public static class ReadFailure
{
    /// <summary>Makes the exception.</summary>
    /// <param name="path">What was to be read, as it was given.</param>
    /// <param name="failure">What the system said.</param>
    public static InvalidInputException Of(string path, Exception failure)
    {
        // The system calls a folder a file without permission.
        string reason = Directory.Exists(path) ? "it is a folder, not a file; name the file in it." : failure.Message.ReplaceLineEndings(" ");
        return new InvalidInputException($"Cannot read {path}: {reason}", failure);
    }
}
