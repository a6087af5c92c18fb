namespace FewStep.Checkpoints;

/// <summary>Reads the parameters and buffers of a TorchScript archive (<c>torch.jit.save</c>). Its code is never run.</summary>
internal static class TorchScriptFile
{
    private const string ClassPrefix = "__torch__.";
    private const int MaximumDepth = 32;

    private static readonly PickleCalls Names = new(
    [
        .. TorchStorages.TensorNames,
        .. TorchStorageType.Names,
        "torch.device",
        "torch.jit._pickle.build_intlist",
        "torch.jit._pickle.build_doublelist",
        "torch.jit._pickle.build_boollist",
        "torch.jit._pickle.build_tensorlist",
        "torch.jit._pickle.restore_type_tag",
    ])
    {
        Prefix = ClassPrefix,
    };

    /// <summary>Whether a file is a TorchScript archive: a zip file with an entry <c>constants.pkl</c> beside <c>data.pkl</c>, which
    /// <c>torch.save</c> does not write.</summary>
    public static bool Is(string path)
    {
        using ByteSource source = ByteSource.Open(path);
        if (!source.IsZip())
            return false;
        using ZipContent zip = ZipContent.Open(path, 2 * source.Length);
        return TorchZipFile.Find(zip, "constants.pkl").Any();
    }

    /// <summary>Reads all tensors of the module and its sub-modules.</summary>
    /// <returns>Tensors by the names that <c>state_dict()</c> gives them (<c>layers.conv.weight</c>), on the CPU, in the file's types,
    /// outside of any dispose scope: the caller owns them.</returns>
    public static TensorsByName Read(string path)
    {
        using ByteSource source = ByteSource.Open(path);
        long length = source.Length;
        using var scope = NewDisposeScope();
        using ZipContent zip = ZipContent.Open(path, 2 * length);
        var storages = new TorchStorages(path, 2 * length);
        var file = new TorchZipFile(zip, path, storages, Names);
        var tensors = new TensorsByName();
        var parts = new ModulePartCount(path, length);
        Walk(file.Root, "", 0);
        return tensors.Count > 0 ? tensors.Detached()
            : throw new InvalidInputException($"{path} holds no tensors; save a module: torch.jit.save(torch.jit.script(model), path).");

        void Walk(object? value, string name, int depth)
        {
            if (depth > MaximumDepth)
            {
                throw new InvalidInputException(
                    $"{path} nests its modules more than {MaximumDepth} deep, as no network does. Fetch the file again.");
            }

            if (TorchStorages.IsTensor(value))
            {
                tensors[name] = storages.Rebuild(value, name, file.Storage);
            }
            else if (value is PickleObject { State: PickleDictionary attributes } module
                && module.Callee.StartsWith(ClassPrefix, StringComparison.Ordinal))
            {
                foreach ((object? key, object? attribute) in attributes.Entries)
                {
                    if (key is string part)
                    {
                        parts.Add(name.Length + part.Length);
                        Walk(attribute, name.Length == 0 ? part : $"{name}.{part}", depth + 1);
                    }
                }
            }
        }
    }
}
