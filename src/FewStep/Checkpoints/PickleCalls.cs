using FewStep.Runtime;

namespace FewStep.Checkpoints;

/// <summary>The allow-list of a pickle reader: which names a file may mention, and the few whose calls have a meaning here. A call of every other allowed name is only recorded.</summary>
internal sealed class PickleCalls
{
    private readonly HashSet<string> _allowed;

    /// <summary>Creates an allow-list: Python's plain containers and these names.</summary>
    /// <param name="names">Full names, e.g. <c>torch._utils._rebuild_tensor_v2</c>.</param>
    public PickleCalls(params IEnumerable<string> names)
    {
        _allowed = [.. names, OrderedDictionary, EasyDictionary, "builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset", Encode];
    }

    private const string OrderedDictionary = "collections.OrderedDict";
    private const string EasyDictionary = "dnnlib.util.EasyDict";
    private const string Encode = "_codecs.encode";

    /// <summary>A name that the file mentions.</summary>
    /// <exception cref="InvalidInputException">It is not on the list.</exception>
    public PickleName Name(string module, string name, string file)
    {
        var found = new PickleName(module, name);
        return _allowed.Contains(found.FullName)
            ? found
            : throw new InvalidInputException($"{file} names the Python object {Printable.Text(found.FullName)}, which no weights need; nothing in it was run. Convert the checkpoint to safetensors.");
    }

    /// <summary>What stands for the result of a call; null where the arguments make no sense.</summary>
    /// <param name="name">What the file calls; on the list.</param>
    /// <param name="arguments">The arguments of the call.</param>
    /// <param name="file">What messages call the file.</param>
    public static object? Result(PickleName name, object?[] arguments, string file)
    {
        switch (name.FullName)
        {
            case OrderedDictionary or EasyDictionary:
                return Dictionary(arguments);
            case "builtins.set" or "__builtin__.set" or "builtins.frozenset" or "__builtin__.frozenset":
                return arguments switch
                {
                    [] => new PickleSet([]),
                    [List<object?> items] => new PickleSet([.. items]),
                    _ => null,
                };
            case Encode:
                // Protocol 2 has no bytes and writes them as Latin-1 text.
                return arguments is [string text, "latin1"] && text.All(c => c <= 0xff)
                    ? new ByteSource(System.Text.Encoding.Latin1.GetBytes(text), file)
                    : null;
            default:
                return new PickleObject(name, arguments);
        }
    }

    private static PickleDictionary? Dictionary(object?[] arguments)
    {
        var dictionary = new PickleDictionary();
        if (arguments is [List<object?> pairs])
        {
            foreach (object? pair in pairs)
            {
                switch (pair)
                {
                    case object?[] and [var key, var value]:
                        dictionary.Set(key, value);
                        break;
                    case List<object?> and [var key, var value]:
                        dictionary.Set(key, value);
                        break;
                    default:
                        return null;
                }
            }

            return dictionary;
        }

        return arguments.Length == 0 ? dictionary : null;
    }
}
