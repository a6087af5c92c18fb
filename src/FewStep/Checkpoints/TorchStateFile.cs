namespace FewStep.Checkpoints;

/// <summary>Reads state dictionaries of <c>torch.save</c>, in its zip format or the one before. Nothing in a file is ever run.</summary>
internal static class TorchStateFile
{
    private const int MaximumDepth = 4;

    // What PyTorch Lightning leaves beside the weights: a class as a key, and numbers of NumPy, with how protocol 2 writes bytes.
    private static readonly string[] OfTraining =
        ["pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint", "_codecs.encode", .. ModuleArguments.NumberNames];

    private static readonly PickleCalls Names = new([.. TorchStorages.TensorNames, .. TorchStorageType.Names, .. OfTraining]);

    // What training programs call the moving average of the weights, which is what they sample with.
    private static readonly string[] Averages = ["ema", "ema_model", "model_ema", "ema_state_dict", "params_ema"];

    /// <summary>Reads the tensors of a state dictionary, at the top level or in the one section that holds tensors; of several sections the
    /// moving average.</summary>
    /// <param name="section">Key of the weights, or first part of their names; null to find them.</param>
    /// <param name="remarks">Is told which of several sections was taken.</param>
    /// <param name="wanted">Whether a tensor of a name is read; null (default) for all.</param>
    /// <returns>Tensors by name on the CPU, in the file's types, outside of any dispose scope: the caller owns them. Tied weights share
    /// their memory. Values that are no tensors are left out.</returns>
    public static TensorsByName Read(
        string path, string? section = null, ICollection<string>? remarks = null, Func<string, bool>? wanted = null)
    {
        using ByteSource source = ByteSource.Open(path);
        using var scope = NewDisposeScope();
        var storages = new TorchStorages(path, 2 * source.Length);

        // torch.save stores without compression: entries that unpack to much more share their bytes, to exhaust memory.
        using ZipContent? zip = source.IsZip() ? ZipContent.Open(path, 2 * source.Length) : null;
        ITorchFile file = zip is null ? new TorchLegacyFile(source, storages) : new TorchZipFile(zip, path, storages, Names);
        var root = file.Root as PickleDictionary ?? throw None(path, section, null);
        var within = section is null ? root : root[section] as PickleDictionary;
        var tensors = new TensorsByName();
        var walk = new Sections(path, remarks);
        foreach ((object? key, object? value) in (within is null ? root : walk.Weights(within) ?? throw None(path, section, root)).Entries)
        {
            if (key is string name && TorchStorages.IsTensor(value) && wanted?.Invoke(name) != false)
                tensors[name] = storages.Rebuild(value, name, file.Storage);
        }

        if (tensors.Count == 0 && wanted is null)
            throw None(path, section, root);
        tensors = tensors.Detached();
        try
        {
            return within is null ? StateDictionary.Under(tensors, section!, path) : tensors;
        }
        catch
        {
            tensors.Dispose();
            throw;
        }
    }

    private static int Tensors(PickleDictionary dictionary)
        => dictionary.Entries.Count(entry => entry.Key is string && TorchStorages.IsTensor(entry.Value));

    private static InvalidInputException None(string path, string? section, PickleDictionary? root)
    {
        string[] names = [.. root?.Entries.Where(e => e.Value is PickleDictionary).Select(
            e => e.Key).OfType<string>().Take(8).Select(Printable.Text) ?? []];
        return new InvalidInputException($"{path} holds no tensors {(section is null ? "at its top level" : "under "
            + Printable.Text(section))}. {(names.Length > 0 ? $"Name one of its sections: {string.Join(", ", names)}."
                : "Save a state dictionary: torch.save(model.state_dict(), path).")}");
    }

    // A pickle may recall one dictionary at many places: each is looked at once.
    private sealed class Sections(string path, ICollection<string>? remarks)
    {
        private readonly HashSet<PickleDictionary> _seen = new(ReferenceEqualityComparer.Instance);

        /// <summary>The dictionary of the weights in this one, or itself; null where there are no tensors.</summary>
        public PickleDictionary? Weights(PickleDictionary here, int depth = 0)
        {
            if (depth > MaximumDepth || !_seen.Add(here))
                return null;
            var found = new List<(string Name, PickleDictionary Weights)>();
            foreach ((object? key, object? value) in here.Entries)
            {
                if (key is string name && value is PickleDictionary inner && Weights(inner, depth + 1) is { } weights)
                    found.Add((name, weights));
            }

            int own = Tensors(here);
            if (own > 0 && found.TrueForAll(section => Tensors(section.Weights) <= own))
                return here;
            if (found.Count <= 1)
                return found.Count == 0 ? null : found[0].Weights;
            string names = string.Join(", ", found.Take(8).Select(section => Printable.Text(section.Name)));
            string average = Averages.FirstOrDefault(name => found.Exists(section => section.Name == name))
                ?? throw new InvalidInputException($"{path} holds several sets of weights. Name one of its sections: {names}.");
            remarks?.Add($"Of several sets of weights ({names}) the moving average {Printable.Text(average)} was read.");
            return found.Find(section => section.Name == average).Weights;
        }
    }
}
