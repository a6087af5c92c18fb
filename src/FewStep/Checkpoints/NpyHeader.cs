namespace FewStep.Checkpoints;

/// <summary>The header of a NumPy file: element type, memory order, shape. NumPy writes it as a Python dictionary; nothing but its three
/// keys is read.</summary>
internal sealed record NpyHeader(NpyElement Element, bool FortranOrder, long[] Shape, int Count)
{
    private const int MaximumAxes = 32;
    private const int MaximumHeaderBytes = 1 << 16;

    /// <summary>Reads the header and compares it with the file's length: nothing is allocated for values that are not there.</summary>
    public static NpyHeader Read(Stream stream, long length, string name)
    {
        Span<byte> start = stackalloc byte[12];
        int prefix = 10;
        if (length < prefix)
            throw Damaged(name, "it is too short for a NumPy file");
        stream.ReadExactly(start[..prefix]);
        if (start[0] != 0x93 || !start[1..6].SequenceEqual("NUMPY"u8))
            throw Damaged(name, "it does not start like a NumPy file");
        long headerBytes = BinaryPrimitives.ReadUInt16LittleEndian(start[8..]);
        if (start[6] is 2 or 3 && length >= 12)
        {
            prefix = 12;
            stream.ReadExactly(start[10..]);
            headerBytes = BinaryPrimitives.ReadUInt32LittleEndian(start[8..]);
        }
        else if (start[6] != 1)
        {
            throw Damaged(name, $"its version {start[6]} is not 1, 2 or 3");
        }

        if (headerBytes > MaximumHeaderBytes || headerBytes > length - prefix)
            throw Damaged(name, $"its header claims {headerBytes} bytes");
        byte[] text = new byte[headerBytes];
        stream.ReadExactly(text);
        NpyHeader header = Parse(Encoding.UTF8.GetString(text), name);
        long needed = (long)header.Count * header.Element.Size, held = length - prefix - headerBytes;
        if (needed != held)
            throw Damaged(name, $"its shape needs {needed} bytes and it holds {held}");
        return header;
    }

    /// <summary>The bytes of a version 1 header for an array.</summary>
    public static byte[] Write(NpyArray array)
    {
        string sizes = string.Join(", ", array.Shape.Select(size => size.ToString(CultureInfo.InvariantCulture)))
            + (array.Shape.Length == 1 ? "," : "");
        string text = $"{{'descr': '{array.Element.Descriptor}', 'fortran_order': False, 'shape': ({sizes}), }}";

        // The format asks for values aligned to 64 bytes and a newline at the end of the header.
        int padded = (10 + text.Length + 1 + 63) / 64 * 64;
        byte[] bytes = [0x93, .. "NUMPY"u8, 1, 0, 0, 0, .. Encoding.ASCII.GetBytes(text.PadRight(padded - 11)), (byte)'\n'];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), (ushort)(padded - 10));
        return bytes;
    }

    private static NpyHeader Parse(string text, string name)
    {
        var literal = new NpyHeaderLiteral(text, name);
        literal.Parse();
        if (literal.Descriptor is not { } descriptor || literal.FortranOrder is not { } fortran || literal.Shape is not { } shape)
            throw Damaged(name, "its header lacks 'descr', 'fortran_order' or 'shape'");
        if (NpyElement.Of(descriptor) is not { } element)
        {
            throw new InvalidInputException($"{name} holds values of type {Printable.Text(descriptor)}; readable are <f4, <f8, <f2, <i4, "
                + "<i8 and |u1. Convert it with astype.");
        }

        if (shape.Count > MaximumAxes)
            throw Damaged(name, $"it has {shape.Count} axes");

        // All axes count toward the limit, zeros too, so that no product can overflow.
        long limit = int.MaxValue / element.Size, count = 1, bound = 1;
        foreach (long axis in shape)
        {
            if (axis > limit || (bound *= Math.Max(axis, 1)) > limit)
                throw new InvalidInputException($"{name} claims more than 2 GiB in one array. Split it.");
            count *= axis;
        }

        return new NpyHeader(element, fortran, [.. shape], (int)count);
    }

    private static InvalidInputException Damaged(string name, string what)
        => new($"{name} is damaged: {what}. Save it again with numpy.save or numpy.savez.");
}

/// <summary>Reads the Python literal that NumPy headers are: a flat dictionary of a string, a bool and a tuple of sizes.</summary>
internal sealed class NpyHeaderLiteral(string text, string name)
{
    private int _at;

    /// <summary>The element type; null where the header has none.</summary>
    public string? Descriptor { get; private set; }

    /// <summary>The memory order; null where the header has none.</summary>
    public bool? FortranOrder { get; private set; }

    /// <summary>The sizes of the axes, none negative; null where the header has none.</summary>
    public List<long>? Shape { get; private set; }

    public void Parse()
    {
        Expect('{');
        while (Peek() != '}')
        {
            string key = Text();
            Expect(':');
            switch (key)
            {
                case "descr" when Descriptor is null:
                    Descriptor = Peek() is '\'' or '"'
                        ? Text()
                        : throw new InvalidInputException($"{name} holds records of several fields. Save each field as its own array.");
                    break;
                case "fortran_order" when FortranOrder is null:
                    FortranOrder = Flag();
                    break;
                case "shape" when Shape is null:
                    Shape = Sizes();
                    break;
                default:
                    throw Damaged();
            }

            if (Peek() == ',')
                _at++;
            else if (Peek() != '}')
                throw Damaged();
        }

        _at++;
        if (Peek() != '\0')
            throw Damaged();
    }

    // The next character that is no white space, not consumed; '\0' at the end.
    private char Peek()
    {
        while (_at < text.Length && text[_at] is ' ' or '\n' or '\t')
            _at++;
        return _at < text.Length ? text[_at] : '\0';
    }

    private void Expect(char c)
    {
        if (Peek() != c)
            throw Damaged();
        _at++;
    }

    private string Text()
    {
        char quote = Peek();
        int end = quote is '\'' or '"' ? text.IndexOf(quote, _at + 1) : -1;
        if (end < 0)
            throw Damaged();
        string value = text[(_at + 1)..end];
        _at = end + 1;
        return value;
    }

    private bool Flag()
    {
        Peek();
        foreach ((string word, bool value) in ((string, bool)[])[("True", true), ("False", false)])
        {
            if (string.CompareOrdinal(text, _at, word, 0, word.Length) == 0)
            {
                _at += word.Length;
                return value;
            }
        }

        throw Damaged();
    }

    private List<long> Sizes()
    {
        var sizes = new List<long>();
        Expect('(');
        while (Peek() != ')')
        {
            int start = _at;
            while (_at < text.Length && char.IsAsciiDigit(text[_at]))
                _at++;
            if (!long.TryParse(text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out long size))
                throw Damaged();
            sizes.Add(size);
            if (Peek() == ',')
                _at++;
            else if (Peek() != ')')
                throw Damaged();
        }

        _at++;
        return sizes;
    }

    private InvalidInputException Damaged()
        => new($"{name} is damaged: its NumPy header cannot be read at character {_at}. Save it again with numpy.save or numpy.savez.");
}
