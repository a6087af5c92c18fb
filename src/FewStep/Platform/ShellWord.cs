namespace FewStep.Platform;

/// <summary>A word of a command line as a shell takes it.</summary>
internal static class ShellWord
{
    /// <summary>The word, quoted where it has spaces or signs of the shell.</summary>
    public static string Of(string word) => word.Length > 0 && word.All(
        c => char.IsAsciiLetterOrDigit(c) || "-_./:=,+@%".Contains(c, StringComparison.Ordinal) || c == Path.DirectorySeparatorChar)
        ? word
        : OperatingSystem.IsWindows() ? $"\"{word.Replace("\"", "\\\"", StringComparison.Ordinal)}\""
        : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
