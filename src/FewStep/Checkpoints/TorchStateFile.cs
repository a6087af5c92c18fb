namespace FewStep.Checkpoints;

/// <summary>Reads state dictionaries of <c>torch.save</c>, in its zip format or the one before. Nothing in a file is ever run.</summary>
internal static class TorchStateFile
{
    private static readonly PickleCalls Names = new([.. TorchStorages.TensorNames, .. TorchStorageType.Names]);

    /// <summary>Reads the tensors of a state dictionary.</summary>
    /// <returns>Tensors by name on the CPU, in the file's types, outside of any dispose scope: the caller owns them. Tied weights share
    /// their memory. Values that are no tensors are left out.</returns>
    public static TensorsByName Read(string path, string? section = null)
    {
        using ByteSource source = ByteSource.Open(path);
        using var scope = NewDisposeScope();
        var storages = new TorchStorages(path, 2 * source.Length);

        // torch.save stores without compression: entries that unpack to much more share their bytes, to exhaust memory.
        using ZipContent? zip = source.IsZip() ? ZipContent.Open(path, 2 * source.Length) : null;
        ITorchFile file = zip is null ? new TorchLegacyFile(source, storages) : new TorchZipFile(zip, path, storages, Names);
        object? found = section is null ? file.Root : (file.Root as PickleDictionary)?[section];
        var tensors = new TensorsByName();
        foreach ((object? key, object? value) in (found as PickleDictionary)?.Entries ?? [])
        {
            if (key is string name && TorchStorages.IsTensor(value))
                tensors[name] = storages.Rebuild(value, name, file.Storage);
        }

        return tensors.Count > 0 ? tensors.Detached() : throw new InvalidInputException($"{path} holds no tensors "
            + $"{(section is null ? "at its top level" : "under " + Printable.Text(section))}. {Sections(file.Root)}");
    }

    private static string Sections(object? root)
    {
        string[] names = [.. (root as PickleDictionary)?.Entries.Where(e => e.Value is PickleDictionary).Select(
            e => e.Key).OfType<string>().Take(8).Select(Printable.Text) ?? []];
        return names.Length > 0 ? $"Name one of its sections: {string.Join(", ", names)}."
            : "Save a state dictionary: torch.save(model.state_dict(), path).";
    }
}
