using System.Globalization;
using FewStep.Platform;

namespace FewStep.Checkpoints;

/// <summary>Reads the one kind of Python literal that NumPy headers consist of: a flat dictionary of a string, a bool and a tuple of sizes.</summary>
internal sealed class NpyHeaderLiteral(string text, string name)
{
    private int _at;

    /// <summary>The element type; null where the header has none.</summary>
    public string? Descriptor { get; private set; }

    /// <summary>The memory order; null where the header has none.</summary>
    public bool? FortranOrder { get; private set; }

    /// <summary>The sizes of the axes, none negative; null where the header has none.</summary>
    public List<long>? Shape { get; private set; }

    /// <summary>Reads the whole literal.</summary>
    /// <exception cref="InvalidInputException">It is anything else.</exception>
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
            {
                _at++;
            }
            else if (Peek() != '}')
            {
                throw Damaged();
            }
        }

        _at++;
        if (Peek() != '\0')
        {
            throw Damaged();
        }
    }

    // The next character that is no white space, not consumed; '\0' at the end.
    private char Peek()
    {
        while (_at < text.Length && text[_at] is ' ' or '\n' or '\t')
        {
            _at++;
        }

        return _at < text.Length ? text[_at] : '\0';
    }

    private void Expect(char c)
    {
        if (Peek() != c)
        {
            throw Damaged();
        }

        _at++;
    }

    private string Text()
    {
        char quote = Peek();
        int end = quote is '\'' or '"' ? text.IndexOf(quote, _at + 1) : -1;
        if (end < 0)
        {
            throw Damaged();
        }

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
            {
                _at++;
            }

            if (!long.TryParse(text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out long size))
            {
                throw Damaged();
            }

            sizes.Add(size);
            if (Peek() == ',')
            {
                _at++;
            }
            else if (Peek() != ')')
            {
                throw Damaged();
            }
        }

        _at++;
        return sizes;
    }

    private InvalidInputException Damaged() => new($"{name} is damaged: its NumPy header cannot be read at character {_at}. Save it again with numpy.save or numpy.savez.");
}
