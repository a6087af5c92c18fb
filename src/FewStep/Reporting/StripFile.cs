namespace FewStep.Reporting;

/// <summary>Reads an image strip from a run folder that may come from anyone.</summary>
internal static class StripFile
{
    private const long MaximumBytes = 32 << 20;
    private const int HeaderBytes = 24; // up to width and height
    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>The file's bytes; null where there is no PNG of at most 32 MiB.</summary>
    public static byte[]? Read(string folder, string path)
    {
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + Path.DirectorySeparatorChar;
        if (path.Contains('\0', StringComparison.Ordinal) || Path.IsPathRooted(path)
            || !Path.GetFullPath(Path.Combine(root, path)).StartsWith(root, StringComparison.Ordinal))
        {
            throw new InvalidInputException($"The image strip '{PlainText.OneLine(path)}' is not inside the run folder. Use a relative "
                + "path such as samples/strip.png.");
        }

        try
        {
            var file = new FileInfo(Path.Combine(root, path));
            byte[]? bytes = file is { Exists: true, Length: <= MaximumBytes } ? InputFile.ReadAll(file.FullName, MaximumBytes) : null;
            return bytes?.Length > HeaderBytes && bytes.AsSpan().StartsWith(Signature) ? bytes : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidInputException)
        {
            return null;
        }
    }
}
