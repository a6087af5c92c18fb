using System.Globalization;
using System.Text;

namespace FewStep.Checkpoints;

/// <summary>Makes names found in files fit for a one-line message: control characters could forge lines or move a terminal's cursor.</summary>
internal static class Printable
{
    private const int MaximumLength = 120;

    /// <summary>The text in quotes, at most 120 characters of it, everything unprintable as <c>?</c>.</summary>
    public static string Text(string text)
    {
        var shown = new StringBuilder("'");
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, MaximumLength)))
        {
            shown.Append(char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned ? '?' : c);
        }

        return shown.Append(text.Length > MaximumLength ? "...'" : "'").ToString();
    }
}
