using FewStep.Checkpoints;
using TorchSharp;

namespace FewStep.Shards;

/// <summary>Tensors of a part by key, in files of bounded number and size: the last one is written anew with each key until it is full, so
/// that neither time nor files grow faster than what is kept.</summary>
/// <remarks>What a key holds is read from its file each time and is not kept in memory.</remarks>
internal sealed class PartTensors
{
    private const int MostKeys = 256;
    private const long MostBytes = 8 << 20;
    private const string KeyName = "key", NumbersName = "numbers";
    private readonly Part _part;
    private readonly string _name;
    private readonly Dictionary<string, (int File, int Slot)> _places = new(StringComparer.Ordinal);
    private readonly List<string> _last = []; // the keys of the last file
    private int _files;
    private bool _isFull = true;

    private PartTensors(Part part, string name) => (_part, _name) = (part, name);

    /// <summary>Opens what a part holds under a name.</summary>
    public static PartTensors Open(Part part, string name)
    {
        var opened = new PartTensors(part, name);
        while (File.Exists(opened.PathOf(opened._files)))
        {
            using var scope = NewDisposeScope();
            var (_, about) = opened.Read(opened._files, scope, _ => false);
            opened._last.Clear();
            for (int slot = 0; about.TryGetValue(InvariantText.Of($"{slot}/{KeyName}"), out string? key); slot++)
            {
                opened._places[key] = (opened._files, slot);
                opened._last.Add(key);
            }

            opened._isFull = opened.IsFull(opened._files);
            opened._files++;
        }

        return opened;
    }

    public bool Has(string key) => _places.ContainsKey(key);

    /// <summary>Keeps tensors, on disk before this returns.</summary>
    /// <param name="key">One that is not there yet.</param>
    /// <param name="tensors">By name; stay the caller's.</param>
    /// <param name="numbers">What there is to say beside them.</param>
    public void Add(string key, IEnumerable<KeyValuePair<string, Tensor>> tensors, params IReadOnlyList<double> numbers)
    {
        using var scope = NewDisposeScope();
        if (_isFull)
        {
            _last.Clear();
            _files++;
        }

        var (all, about) = _last.Count == 0 ? ([], []) : Read(_files - 1, scope);
        int slot = _last.Count;
        foreach (var (name, tensor) in tensors)
            all[InvariantText.Of($"{slot}/{name}")] = tensor;
        about[InvariantText.Of($"{slot}/{KeyName}")] = key;
        about[InvariantText.Of($"{slot}/{NumbersName}")] = JsonSerializer.Serialize(numbers);
        SafetensorsFile.Write(PathOf(_files - 1), all, about);
        _places[key] = (_files - 1, slot);
        _last.Add(key);
        _isFull = IsFull(_files - 1);
    }

    /// <summary>What a key holds.</summary>
    /// <returns>The tensors, which belong to the current dispose scope, and the numbers; null where the key is not there.</returns>
    /// <exception cref="InvalidInputException">The file is damaged.</exception>
    public (IReadOnlyDictionary<string, Tensor> Tensors, double[] Numbers)? Find(string key, int numbers)
    {
        if (!_places.TryGetValue(key, out var place))
            return null;
        using var scope = NewDisposeScope();
        string prefix = InvariantText.Of($"{place.Slot}/");
        var (all, about) = Read(place.File, scope, name => name.StartsWith(prefix, StringComparison.Ordinal));
        try
        {
            double[]? found = JsonSerializer.Deserialize<double[]>(about.GetValueOrDefault(prefix + NumbersName, "null"));
            if (about.GetValueOrDefault(prefix + KeyName) == key && found?.Length == numbers && found.All(double.IsFinite))
            {
                return (all.ToDictionary(t => t.Key[prefix.Length..], t => t.Value.MoveToOuterDisposeScope()), found);
            }
        }
        catch (JsonException)
        {
            // As what is missing.
        }

        throw new InvalidInputException($"{PathOf(place.File)} is damaged; remove the part and run shard {_part.Shard} again.");
    }

    // The last file.
    private bool IsFull(int file) => _last.Count >= MostKeys || new FileInfo(PathOf(file)).Length >= MostBytes;

    private (Dictionary<string, Tensor> Tensors, Dictionary<string, string> About) Read(
        int file, DisposeScope scope, Func<string, bool>? wanted = null)
    {
        var (tensors, about) = SafetensorsFile.Read(PathOf(file), wanted);
        var all = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in tensors)
        {
            scope.Attach(tensor);
            all[name] = tensor;
        }

        return (all, about);
    }

    private string PathOf(int file) => _part.At(InvariantText.Of($"{_name}-{file:D6}.safetensors"));
}
