namespace FewStep.Platform;

/// <summary>JSON as other programs and editors write it, turned into what the parser takes: UTF-8, without a byte order mark.</summary>
internal static class JsonText
{
    private static readonly string[] PythonNumbers = ["-Infinity", "Infinity", "NaN"];

    /// <summary>The same text in UTF-8 without a byte order mark, which also tells UTF-16 from it.</summary>
    public static ReadOnlyMemory<byte> Utf8(ReadOnlyMemory<byte> bytes) => bytes.Span switch
    {
        [0xEF, 0xBB, 0xBF, ..] => bytes[3..],
        [0xFF, 0xFE, ..] => Encoding.UTF8.GetBytes(Encoding.Unicode.GetString(bytes.Span[2..])),
        [0xFE, 0xFF, ..] => Encoding.UTF8.GetBytes(Encoding.BigEndianUnicode.GetString(bytes.Span[2..])),
        _ => bytes,
    };

    /// <summary>The same with Python's <c>Infinity</c>, <c>-Infinity</c> and <c>NaN</c>, which are no JSON, as texts.</summary>
    public static ReadOnlyMemory<byte> Python(ReadOnlyMemory<byte> bytes)
    {
        string text = Encoding.UTF8.GetString(Utf8(bytes).Span);
        var plain = new StringBuilder(text.Length);
        bool quoted = false;
        for (int at = 0; at < text.Length; at++)
        {
            char c = text[at];
            if (!quoted && c is ('-' or 'I' or 'N') && NumberAt(text, at) is string number)
            {
                plain.Append('"').Append(number).Append('"');
                at += number.Length - 1;
                continue;
            }

            plain.Append(c);
            quoted ^= c == '"';
            if (quoted && c == '\\' && at + 1 < text.Length)
                plain.Append(text[++at]);
        }

        return Encoding.UTF8.GetBytes(plain.ToString());
    }

    private static string? NumberAt(string text, int at)
        => PythonNumbers.FirstOrDefault(number => string.CompareOrdinal(text, at, number, 0, number.Length) == 0);
}
