namespace FewStep.Platform;

/// <summary>Makes names and texts found in files fit for a one-line message: control characters could forge lines or move a terminal's
/// cursor.</summary>
internal static class Printable
{
    private const int LongestName = 120;
    private const int LongestLine = 300;

    /// <summary>A name in quotes, at most 120 characters of it, everything unprintable as <c>?</c>.</summary>
    public static string Text(string text) => $"'{Line(text, LongestName)}'";

    /// <summary>The text as one line without quotes, everything unprintable as <c>?</c>.</summary>
    public static string Line(string text, int most = LongestLine)
    {
        var shown = new StringBuilder();
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, most)))
        {
            shown.Append(char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned ? '?' : c);
        }

        return text.Length > most ? shown.Append("...").ToString() : shown.ToString();
    }
}
