namespace FewStep.Platform;

/// <summary>A word of a command line as a shell takes it.</summary>
internal static class ShellWord
{
    /// <summary>The word, quoted where it has spaces or signs of the shell.</summary>
    public static string Of(string word) => !OperatingSystem.IsWindows() ? Posix(word)
        : IsPlain(word, '\\') ? word : $"\"{word.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>The word as sh takes it, whatever this machine's own shell is.</summary>
    public static string Posix(string word) =>
        IsPlain(word, '/') ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static bool IsPlain(string word, char separator) => word.Length > 0 && word.All(
        c => char.IsAsciiLetterOrDigit(c) || "-_./:=,+@%".Contains(c, StringComparison.Ordinal) || c == separator);
}
