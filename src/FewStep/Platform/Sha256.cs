namespace FewStep.Platform;

/// <summary>SHA-256 in lower-case hexadecimal.</summary>
internal static class Sha256
{
    public static string Of(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    public static string OfFile(string path) => ReadFailure.Guard(path, () =>
    {
        using var stream = InputFile.Open(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    });
}
