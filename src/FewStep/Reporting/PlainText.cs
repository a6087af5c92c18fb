using System.Xml;

namespace FewStep.Reporting;

/// <summary>Makes text from outside harmless to show: names of models and files may hold anything.</summary>
internal static class PlainText
{
    private const char Replacement = '\uFFFD';

    /// <summary>The text on one line, without control characters, text-direction overrides and broken surrogates.</summary>
    public static string OneLine(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes()) // a broken surrogate comes out as U+FFFD
        {
            if (rune.Value is '\n' or '\r' or '\t' or 0x2028 or 0x2029)
                result.Append(' ');
            else
                result.Append(IsSafe(rune) ? rune.ToString() : Replacement.ToString());
        }

        return result.ToString();
    }

    /// <summary>The same for text of several lines, which stay.</summary>
    public static string Lines(string text) => string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(OneLine));

    private static bool IsSafe(Rune rune) =>
        !Rune.IsControl(rune)
        && rune.Value is not ((>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069))
        && (rune.Value > char.MaxValue || XmlConvert.IsXmlChar((char)rune.Value));
}
