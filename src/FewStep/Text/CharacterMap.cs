namespace FewStep.Text;

/// <summary>What a model of SentencePiece puts in place of characters before it looks for pieces (Kudo and Richardson 1808.06226, section
/// 3.2): a table of byte strings and their replacements, for T5 those of NFKC and of control characters and spaces.</summary>
/// <remarks>
/// The table is a trie in a double array, as Darts-clone writes it, with the texts of the replacements behind it. A unit of 32 bits holds a
/// label and an offset to its children, or a value.
/// </remarks>
internal sealed class CharacterMap
{
    private const uint IsValue = 1u << 31, Wide = 1u << 9, HasValue = 1u << 8, LabelBits = IsValue | 0xff;
    private const int OffsetShift = 10, WideShift = 8;

    private readonly uint[] _units;
    private readonly byte[] _texts;
    private readonly string _path;

    private CharacterMap(uint[] units, byte[] texts, string path) => (_units, _texts, _path) = (units, texts, path);

    /// <param name="table">The table; empty for one that changes nothing.</param>
    /// <param name="path">Where it was found, for messages.</param>
    public static CharacterMap Read(ReadOnlySpan<byte> table, string path)
    {
        if (table.IsEmpty)
            return new CharacterMap([], [], path);
        uint size = table.Length >= sizeof(uint) ? BinaryPrimitives.ReadUInt32LittleEndian(table) : uint.MaxValue;
        if (size > table.Length - sizeof(uint) || size % sizeof(uint) != 0 || size == 0)
            throw Damaged(path);
        var units = new uint[size / sizeof(uint)];
        for (int i = 0; i < units.Length; i++)
            units[i] = BinaryPrimitives.ReadUInt32LittleEndian(table[(sizeof(uint) * (i + 1))..]);
        return new CharacterMap(units, table[(int)(sizeof(uint) + size)..].ToArray(), path);
    }

    /// <summary>The text with each longest string of the table replaced, as UTF-8, without spaces at its ends and after spaces.</summary>
    public byte[] Normalised(string text)
    {
        byte[] input = Encoding.UTF8.GetBytes(text); // half a pair becomes U+FFFD
        var output = new MemoryStream(input.Length);
        bool afterSpace = true;
        for (int at = 0; at < input.Length;)
        {
            ReadOnlySpan<byte> rest = input.AsSpan(at);
            var (length, from) = Longest(rest);
            var replaced = length > 0 ? Text(from) : rest[..CharacterLength(rest[0])];
            at += length > 0 ? length : replaced.Length;
            if (afterSpace)
                replaced = replaced.TrimStart((byte)' ');
            output.Write(replaced);
            if (!replaced.IsEmpty)
                afterSpace = replaced[^1] == ' ';
        }

        return output.ToArray();
    }

    // The longest string of the table that the text begins with: its length, 0 for none, and where its replacement begins.
    private (int Length, uint Text) Longest(ReadOnlySpan<byte> text)
    {
        if (_units.Length == 0)
            return default;
        var longest = (0, 0u);
        uint at = Offset(_units[0]);
        for (int i = 0; i < text.Length; i++)
        {
            at ^= text[i];
            if (at >= _units.Length || (_units[at] & LabelBits) != text[i])
                return longest;
            uint unit = _units[at];
            at ^= Offset(unit);
            if ((unit & HasValue) != 0)
                longest = (i + 1, at < _units.Length ? _units[at] & ~IsValue : throw Damaged(_path));
        }

        return longest;
    }

    private ReadOnlySpan<byte> Text(uint from)
    {
        var rest = from < _texts.Length ? _texts.AsSpan((int)from) : throw Damaged(_path);
        int end = rest.IndexOf((byte)0);
        return end >= 0 ? rest[..end] : throw Damaged(_path);
    }

    private static uint Offset(uint unit) => (unit >> OffsetShift) << ((unit & Wide) != 0 ? WideShift : 0);

    private static int CharacterLength(byte first) => first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    private static InvalidInputException Damaged(string path)
        => new($"{path}: its table of characters (precompiled_charsmap) is damaged. Fetch the file again.");
}
