namespace FewStep.Checkpoints;

// What a pickle may hold besides null, bool, long, BigInteger, double, string, tuples (object?[]) and lists (List<object?>).
// Nothing here does anything: a file's names and calls stay names and calls.

/// <summary>A name of a Python class or function; never looked up.</summary>
/// <param name="Module">Python module, e.g. <c>collections</c>.</param>
/// <param name="Name">Name in the module, e.g. <c>OrderedDict</c>.</param>
internal sealed record PickleName(string Module, string Name)
{
    /// <summary>Module and name joined by a dot.</summary>
    public string FullName { get; } = $"{Module}.{Name}";
}

/// <summary>A call of an allowed name, recorded and not made.</summary>
/// <param name="callee">What would have been called.</param>
/// <param name="arguments">Its arguments.</param>
internal sealed class PickleObject(PickleName callee, object?[] arguments)
{
    /// <summary>Full name of what would have been called.</summary>
    public string Callee { get; } = callee.FullName;

    /// <summary>The arguments of the call.</summary>
    public object?[] Arguments { get; } = arguments;

    /// <summary>The state that the file would set on the result; null where it sets none.</summary>
    public object? State { get; set; }
}

/// <summary>A reference to something beside the pickle, such as a tensor's storage.</summary>
/// <param name="Id">What the file names it by.</param>
internal sealed record PicklePersistentId(object? Id);

/// <summary>A Python dictionary in its order. Only text keys can be looked up: no composite key is ever hashed or compared, which a hostile file could make endless.</summary>
internal sealed class PickleDictionary
{
    private Dictionary<string, int>? _index;

    /// <summary>Keys and values in order.</summary>
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
/// <param name="Items">Its items, possibly repeated.</param>
internal sealed record PickleSet(List<object?> Items);
