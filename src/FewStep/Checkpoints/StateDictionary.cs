namespace FewStep.Checkpoints;

/// <summary>The weights of a file of <c>torch.save</c> or of safetensors, without what training programs wrap around their names.
/// Disposing it frees the tensors.</summary>
/// <param name="Metadata">Texts that a safetensors file says beside its tensors.</param>
/// <param name="Remarks">One sentence for each choice among several sets of weights.</param>
internal sealed record StateDictionary(
    TensorsByName Tensors, IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<string> Remarks) : IDisposable
{
    // torch.nn.DataParallel, torch.compile, modules that hold the network as their member, and sections that were made one level.
    private static readonly string[] Wrappers = ["module.", "_orig_mod.", "model.", "ema.", "state_dict."];

    /// <param name="section">Key of the weights, or first part of their names, in a file that holds several things.</param>
    /// <param name="wanted">Whether a tensor is read, by its name without what wraps it; null (default) for all.</param>
    public static StateDictionary Read(string path, string? section = null, Func<string, bool>? wanted = null)
    {
        var whole = ReadWrapped(path, section, wanted is null ? null : name => wanted(Bare(name, section)));
        return whole with { Tensors = Unwrapped(whole.Tensors) };
    }

    /// <summary>The same with the names as they stand in the file: of a shard, which does not tell what wraps all names.</summary>
    public static StateDictionary ReadWrapped(string path, string? section = null, Func<string, bool>? wanted = null)
    {
        var remarks = new List<string>();
        bool safe = CheckpointFormats.KindOf(path) == WeightsFileKind.Safetensors;
        var (tensors, metadata) = safe ? SafetensorsFile.Read(path, wanted) : (TorchStateFile.Read(path, section, remarks, wanted), []);
        try
        {
            return new StateDictionary(safe && section is not null ? Under(tensors, section, path) : tensors, metadata, remarks);
        }
        catch
        {
            tensors.Dispose();
            throw;
        }
    }

    /// <summary>The same tensors without what training programs wrap around all of their names.</summary>
    public static TensorsByName Unwrapped(TensorsByName tensors)
    {
        while (Wrappers.FirstOrDefault(wrapper => StartsAll(tensors, wrapper)) is string prefix)
            tensors = Renamed(tensors, prefix.Length);
        return tensors;
    }

    /// <summary>The tensors whose names begin with a section's name and a dot, without it; the others are freed. All of them where the
    /// section is a moving average that other names say.</summary>
    public static TensorsByName Under(TensorsByName tensors, string section, string path)
    {
        if (LatentDiffusionFile.HoldsAverage(tensors, section))
            return tensors;
        string prefix = section + ".";
        bool IsUnder(string name) => name.Length > prefix.Length && name.StartsWith(prefix, StringComparison.Ordinal);
        if (!tensors.Keys.Any(IsUnder))
        {
            string[] firsts = [.. tensors.Keys.Select(name => name.Split('.')[0]).Distinct().Take(8).Select(Printable.Text)];
            throw new InvalidInputException($"{path} holds no tensors under {Printable.Text(section)}. Name one of its sections: "
                + $"{string.Join(", ", firsts)}.");
        }

        var found = new TensorsByName();
        foreach (var (name, tensor) in tensors)
        {
            if (IsUnder(name))
                found[name[prefix.Length..]] = tensor;
            else
                tensor.Dispose();
        }

        return found;
    }

    public void Dispose() => Tensors.Dispose();

    // Of one tensor, whatever the others are called.
    private static string Bare(string name, string? section)
    {
        if (section is not null && name.StartsWith(section + ".", StringComparison.Ordinal))
            name = name[(section.Length + 1)..];
        while (Wrappers.FirstOrDefault(wrapper => name.StartsWith(wrapper, StringComparison.Ordinal)) is string prefix)
            name = name[prefix.Length..];
        return name;
    }

    private static bool StartsAll(TensorsByName tensors, string prefix)
        => tensors.Count > 0 && tensors.Keys.All(name => name.Length > prefix.Length && name.StartsWith(prefix, StringComparison.Ordinal));

    private static TensorsByName Renamed(TensorsByName tensors, int skip)
    {
        var renamed = new TensorsByName();
        foreach (var (name, tensor) in tensors)
            renamed[name[skip..]] = tensor;
        return renamed;
    }
}
