namespace FewStep.Platform;

/// <summary>Makes names and texts found in files fit for a one-line message: control characters could forge lines or move a terminal's
/// cursor.</summary>
internal static class Printable
{
    private const int LongestName = 120;
    private const int LongestLine = 300;
    private const int LongestMessage = 1200;

    /// <summary>A name in quotes, at most 120 characters of it, everything unprintable as <c>?</c>.</summary>
    public static string Text(string text) => $"'{Line(text, LongestName)}'";

    /// <summary>The text as one line without quotes, everything unprintable as <c>?</c>.</summary>
    public static string Line(string text, int most = LongestLine)
    {
        var shown = new StringBuilder();
        foreach (Rune rune in text.AsSpan(0, Math.Min(text.Length, most)).EnumerateRunes()) // half a pair comes out as U+FFFD
        {
            bool plain = rune != Rune.ReplacementChar && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control
                or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
            shown.Append(plain ? rune.ToString() : "?");
        }

        return text.Length > most ? shown.Append("...").ToString() : shown.ToString();
    }

    /// <summary>A whole message: one line, whatever it quotes, and not endless.</summary>
    public static string Message(string text) => Line(text.ReplaceLineEndings(" "), LongestMessage);
}
