namespace FewStep.Checkpoints;

// What a pickle may hold besides null, bool, long, BigInteger, double, string, tuples (object?[]) and lists (List<object?>).
// Nothing here does anything: a file's names and calls stay names and calls.

/// <summary>A name of a Python class or function; never looked up.</summary>
internal sealed record PickleName(string Module, string Name)
{
    /// <summary>Module and name joined by a dot.</summary>
    public string FullName { get; } = $"{Module}.{Name}";
}

/// <summary>A call of an allowed name, recorded and not made.</summary>
internal sealed class PickleObject(PickleName callee, object?[] arguments)
{
    /// <summary>Full name of what would have been called.</summary>
    public string Callee { get; } = callee.FullName;

    public object?[] Arguments { get; } = arguments;

    /// <summary>The state that the file would set on the result; null where it sets none.</summary>
    public object? State { get; set; }
}

/// <summary>A reference to something beside the pickle, such as a tensor's storage.</summary>
internal sealed record PicklePersistentId(object? Id);

/// <summary>A Python dictionary in its order. Only text keys can be looked up: no composite key is ever hashed or compared, which a hostile
/// file could make endless.</summary>
internal sealed class PickleDictionary
{
    private Dictionary<string, int>? _index;

    public List<KeyValuePair<object?, object?>> Entries { get; } = [];

    /// <summary>The value of a text key; null where there is none.</summary>
    public object? this[string key] => _index is not null && _index.TryGetValue(key, out int at) ? Entries[at].Value : null;

    /// <summary>Adds an entry, or replaces the value of a text key.</summary>
    public void Set(object? key, object? value)
    {
        var entry = KeyValuePair.Create(key, value);
        if (key is string text)
        {
            _index ??= new(StringComparer.Ordinal);
            if (!_index.TryAdd(text, Entries.Count))
            {
                Entries[_index[text]] = entry;
                return;
            }
        }

        Entries.Add(entry);
    }
}

/// <summary>A Python set, frozen or not, in the file's order.</summary>
internal sealed record PickleSet(List<object?> Items);

/// <summary>The allow-list of a pickle reader: which names a file may mention, and the few whose calls have a meaning here. A call of every
/// other allowed name is only recorded.</summary>
internal sealed class PickleCalls(params IEnumerable<string> names)
{
    private readonly HashSet<string> _allowed =
        [.. names, "collections.OrderedDict", "dnnlib.util.EasyDict", "builtins.set", "__builtin__.set"];

    /// <summary>Names that begin so are on the list too: TorchScript numbers its classes as it likes. Null (default) for none.</summary>
    public string? Prefix { get; init; }

    public PickleName Name(string module, string name, string file)
    {
        var found = new PickleName(module, name);
        return _allowed.Contains(found.FullName) || (Prefix is not null && found.FullName.StartsWith(Prefix, StringComparison.Ordinal))
            ? found
            : throw new InvalidInputException($"{file} names the Python object {Printable.Text(found.FullName)}, which no weights need; "
                + "nothing in it was run. Convert the checkpoint to safetensors.");
    }

    /// <summary>What stands for the result of a call; null where the arguments make no sense.</summary>
    public static object? Result(PickleName name, object?[] arguments) => (name.FullName, arguments) switch
    {
        ("collections.OrderedDict" or "dnnlib.util.EasyDict", []) => new PickleDictionary(),
        ("collections.OrderedDict" or "dnnlib.util.EasyDict", _) => null,
        ("builtins.set" or "__builtin__.set", []) => new PickleSet([]),

        // The list itself, not a copy: copying a recalled list again and again would take time without bound.
        ("builtins.set" or "__builtin__.set", [List<object?> items]) => new PickleSet(items),
        ("builtins.set" or "__builtin__.set", _) => null,
        _ => new PickleObject(name, arguments),
    };
}
