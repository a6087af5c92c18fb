namespace FewStep.Checkpoints;

/// <summary>Named plain values of a pickled module, their types checked. A missing value and Python's None are the same.</summary>
internal sealed class ModuleArguments(PickleDictionary values, string where)
{
    private const int LongestList = 64;
    private const int LongestText = 256;

    /// <summary>The allow-list names of NumPy's numbers, which options may be.</summary>
    internal static IEnumerable<string> NumberNames => ["numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype"];

    public IEnumerable<string> Names => values.Entries.Select(entry => entry.Key).OfType<string>();

    /// <summary>A whole number that fits 32 bits; null where it is missing.</summary>
    public int? Integer(string name) => Find(name) switch
    {
        null => null,
        long value and >= int.MinValue and <= int.MaxValue => (int)value,
        _ => throw Wrong(name, "a whole number"),
    };

    /// <summary>A number, possibly infinite; null where it is missing.</summary>
    public double? Number(string name) => Find(name) switch
    {
        null => null,
        double value => value,
        long value => value,
        _ => throw Wrong(name, "a number"),
    };

    /// <summary>A text; null where it is missing.</summary>
    public string? Text(string name) => Find(name) switch
    {
        null => null,
        string { Length: <= LongestText } value => value,
        _ => throw Wrong(name, "a short text"),
    };

    /// <summary>A list or tuple of at most 64 whole numbers; null where it is missing.</summary>
    public IReadOnlyList<int>? Integers(string name) => Items<int>(
        name, "a list of whole numbers", item => item is long value and >= int.MinValue and <= int.MaxValue ? (int)value : null);

    /// <summary>A list or tuple of at most 64 numbers; null where it is missing.</summary>
    public IReadOnlyList<double>? Numbers(string name) => Items<double>(name, "a list of numbers", item => item switch
    {
        double value => value,
        long value => value,
        _ => null,
    });

    private T[]? Items<T>(string name, string expected, Func<object?, T?> read)
        where T : struct
    {
        IReadOnlyList<object?>? items = Find(name) switch
        {
            null => null,
            List<object?> { Count: <= LongestList } list => list,
            object?[] { Length: <= LongestList } tuple => tuple,
            _ => throw Wrong(name, expected),
        };
        return items?.Select(item => read(Scalar(item)) ?? throw Wrong(name, expected)).ToArray();
    }

    private object? Find(string name) => Scalar(values[name]);

    // numpy.core.multiarray.scalar(dtype, bytes) is how NumPy pickles a number.
    private static object? Scalar(object? value)
        => value is PickleObject
        {
            Arguments: [PickleObject { Callee: "numpy.dtype", Arguments: [string type, ..] },
            ByteSource { Length: 4 or 8 } bytes]
        }
            ? (type, bytes.ToArray(8)) switch
            {
                ("f8", { Length: 8 } b) => BinaryPrimitives.ReadDoubleLittleEndian(b),
                ("f4", { Length: 4 } b) => (double)BinaryPrimitives.ReadSingleLittleEndian(b),
                ("i8", { Length: 8 } b) => BinaryPrimitives.ReadInt64LittleEndian(b),
                ("i4", { Length: 4 } b) => (long)BinaryPrimitives.ReadInt32LittleEndian(b),
                _ => value,
            }
            : value;

    private InvalidInputException Wrong(string name, string expected) => new($"{where}: the option {name} is not {expected}.");
}

/// <summary>Counts the parts of a pickled network: a pickle may recall one module or tensor at many places, so that few bytes describe a
/// tree without end.</summary>
internal sealed class ModulePartCount(string path, long length)
{
    private const int Most = 200_000;
    private const int LongestName = 256;

    // A part takes two bytes at least: one that recalls its name, one for its value.
    private readonly long _most = Math.Min(Most, length / 2);
    private long _parts;

    public void Add(int nameLength)
    {
        if (nameLength > LongestName || ++_parts > _most)
        {
            throw new InvalidInputException($"{path} is damaged or hostile: it nests modules without end, or under names of more than "
                + $"{LongestName} characters. Fetch the file again.");
        }
    }
}
