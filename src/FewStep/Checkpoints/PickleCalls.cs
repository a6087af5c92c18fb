using FewStep.Platform;

namespace FewStep.Checkpoints;

/// <summary>The allow-list of a pickle reader: which names a file may mention, and the few whose calls have a meaning here. A call of every other allowed name is only recorded.</summary>
/// <param name="names">Full names besides Python's plain containers, e.g. <c>torch._utils._rebuild_tensor_v2</c>.</param>
internal sealed class PickleCalls(params IEnumerable<string> names)
{
    private readonly HashSet<string> _allowed = [.. names, "collections.OrderedDict", "dnnlib.util.EasyDict", "builtins.set", "__builtin__.set"];

    /// <summary>Names that begin so are on the list as well: TorchScript numbers its classes as it likes. Null (default) for none.</summary>
    public string? Prefix { get; init; }

    /// <summary>A name that the file mentions.</summary>
    /// <exception cref="InvalidInputException">It is not on the list.</exception>
    public PickleName Name(string module, string name, string file)
    {
        var found = new PickleName(module, name);
        return _allowed.Contains(found.FullName) || (Prefix is not null && found.FullName.StartsWith(Prefix, StringComparison.Ordinal))
            ? found
            : throw new InvalidInputException($"{file} names the Python object {Printable.Text(found.FullName)}, which no weights need; nothing in it was run. Convert the checkpoint to safetensors.");
    }

    /// <summary>What stands for the result of a call; null where the arguments make no sense.</summary>
    /// <param name="name">What the file calls; on the list.</param>
    /// <param name="arguments">The arguments of the call.</param>
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
