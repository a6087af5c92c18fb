namespace FewStep.Platform;

/// <summary>SHA-256 in lower-case hexadecimal.</summary>
internal static class Sha256
{
    public static string Of(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Of several files in order; of one its own.</summary>
    public static string OfFiles(IReadOnlyList<string> paths)
        => paths is [var only] ? OfFile(only) : Of(string.Join('\n', paths.Select(OfFile)));

    public static string OfFile(string path) => ReadFailure.Guard(path, () =>
    {
        using var stream = InputFile.Open(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    });
}
