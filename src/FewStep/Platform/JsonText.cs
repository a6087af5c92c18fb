namespace FewStep.Platform;

/// <summary>JSON as other programs and editors write it, turned into what the parser takes: UTF-8, without a byte order mark.</summary>
internal static class JsonText
{
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
        var utf8 = Utf8(bytes);
        if (!System.Text.Unicode.Utf8.IsValid(utf8.Span))
            utf8 = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(utf8.Span)); // so that every value in it can be shown
        var text = utf8.Span;
        MemoryStream? changed = null; // most files have none of them
        int copied = 0;
        bool quoted = false;
        for (int at = 0; at < text.Length; at++)
        {
            if (text[at] == '"')
                quoted = !quoted;
            else if (quoted && text[at] == '\\')
                at++;
            var number = quoted || at >= text.Length ? [] : NumberAt(text[at..]);
            if (number.Length == 0)
                continue;
            changed ??= new MemoryStream(text.Length + 64);
            changed.Write(text[copied..at]);
            changed.Write([(byte)'"', .. number, (byte)'"']);
            copied = at + number.Length;
            at = copied - 1;
        }

        changed?.Write(text[copied..]);
        return changed?.ToArray() ?? utf8;
    }

    private static ReadOnlySpan<byte> NumberAt(ReadOnlySpan<byte> text) => text switch
    {
        [(byte)'-', ..] when text.StartsWith("-Infinity"u8) => "-Infinity"u8,
        [(byte)'I', ..] when text.StartsWith("Infinity"u8) => "Infinity"u8,
        [(byte)'N', ..] when text.StartsWith("NaN"u8) => "NaN"u8,
        _ => [],
    };
}
