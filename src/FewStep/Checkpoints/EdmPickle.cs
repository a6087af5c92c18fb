namespace FewStep.Checkpoints;

/// <summary>Reads the network pickles of NVlabs/edm and NVlabs/edm2 (e.g. <c>edm-cifar10-32x32-cond-vp.pkl</c>). The Python source that
/// they carry is never run, nor anything else in them.</summary>
internal static class EdmPickle
{
    private const string Persistent = "torch_utils.persistence._reconstruct_persistent_obj";
    private const string LoadFromBytes = "torch.storage._load_from_bytes";
    private const int MaximumDepth = 32;
    private const int MaximumTransientBuffers = 64;

    private static readonly PickleCalls Names = new(
    [
        Persistent,
        LoadFromBytes,
        .. TorchStorages.TensorNames,
        .. ModuleArguments.NumberNames,
        "numpy.core.multiarray._reconstruct",
        "numpy._core.multiarray._reconstruct",
        "numpy.ndarray",
        "torch.nn.modules.container.ModuleDict",
        "torch.nn.modules.container.ModuleList",
        "torch.nn.modules.container.Sequential",
    ]);

    /// <returns>Its classes, options and tensors; the caller owns it.</returns>
    public static EdmCheckpoint Read(string path, string network = "ema")
    {
        using ByteSource source = ByteSource.Open(path);
        long position = 0;
        object? root = PickleReader.Read(source, ref position, Names);
        if (root is not PickleDictionary contents || contents[network] is not { } module)
        {
            throw new InvalidInputException(
                $"{path} holds no network {Printable.Text(network)}; a pickle of NVlabs/edm is a dictionary with an entry 'ema'.");
        }

        using var scope = NewDisposeScope();
        var walk = new Walk(path, source.Length);
        EdmModule read = walk.Module(network, "", module, 0);
        return new EdmCheckpoint(path, read, walk.Tensors.Detached()) { Encoder = walk.Encoder(contents["encoder"]) };
    }

    private sealed class Walk(string path, long length)
    {
        private readonly ModulePartCount _parts = new(path, length);
        private readonly TorchStorages _storages = new(path, 2 * length);
        private readonly Dictionary<ByteSource, Tensor?> _loaded = new(ReferenceEqualityComparer.Instance);

        public TensorsByName Tensors { get; } = [];

        public EdmModule Module(string name, string prefix, object? value, int depth)
        {
            if (depth > MaximumDepth)
                throw Damaged(prefix, "modules nested without end");
            (string className, PickleDictionary state) = value switch
            {
                PickleObject { Callee: Persistent, Arguments: [PickleDictionary meta] } when meta["class_name"] is string found
                    && meta["state"] is PickleDictionary fields => (found, fields),
                PickleObject { State: PickleDictionary fields } container
                    => (container.Callee[(container.Callee.LastIndexOf('.') + 1)..], fields),
                _ => throw Damaged(prefix, "a module without class and state"),
            };
            List<object?> transient = (state["_non_persistent_buffers_set"] as PickleSet)?.Items ?? [];
            if (transient.Count > MaximumTransientBuffers)
                throw Damaged(prefix, $"{transient.Count} transient buffers");
            AddTensors(prefix, state["_parameters"], []);
            AddTensors(prefix, state["_buffers"], transient);
            var children = new List<EdmModule>();
            foreach ((object? key, object? child) in (state["_modules"] as PickleDictionary)?.Entries ?? [])
            {
                string childName = Name(key, prefix);
                if (child is not null)
                    children.Add(Module(childName, $"{prefix}{childName}.", child, depth + 1));
            }

            string where = $"{path}, module {(prefix.Length == 0 ? name : prefix[..^1])}";
            int positional = (state["_init_args"] as object?[])?.Length ?? 0;
            return new EdmModule(name, className, positional, new ModuleArguments(
                state["_init_kwargs"] as PickleDictionary ?? new(), where), new ModuleArguments(state, where), children);
        }

        /// <summary>What makes the network's images, without its tensors; null where there is none.</summary>
        public EdmModule? Encoder(object? value)
            => value is PickleObject { Callee: Persistent, Arguments: [PickleDictionary meta] } && meta["class_name"] is string className
                && meta["state"] is PickleDictionary state
                ? new EdmModule("encoder", className, (state["_init_args"] as object?[])?.Length ?? 0, new ModuleArguments(
                    state["_init_kwargs"] as PickleDictionary ?? new(), $"{path}, encoder"), new ModuleArguments(state, path), [])
                : null;

        private void AddTensors(string prefix, object? named, List<object?> except)
        {
            foreach ((object? key, object? value) in (named as PickleDictionary)?.Entries ?? [])
            {
                string name = Name(key, prefix);
                if (value is not null && !except.Contains(name))
                    Tensors[prefix + name] = _storages.Rebuild(value, prefix + name, Storage);
            }
        }

        private Tensor? Storage(object? description)
        {
            if (description is not PickleObject { Callee: LoadFromBytes, Arguments: [ByteSource bytes] })
                return null;
            if (_loaded.TryGetValue(bytes, out Tensor? flat))
                return flat;
            var file = new TorchLegacyFile(bytes, _storages);
            return _loaded[bytes] = file.Storage(file.Root);
        }

        private string Name(object? key, string prefix)
        {
            string name = key is string { Length: > 0 and <= 64 } text && !text.Contains('.') ? text
                : throw Damaged(prefix, "a part whose name is no Python identifier");
            _parts.Add(prefix.Length + name.Length);
            return name;
        }

        private InvalidInputException Damaged(string prefix, string what)
            => new($"{path} is damaged or no network of NVlabs/edm: {what} at {Printable.Text(prefix)}. Fetch the file again.");
    }
}

/// <summary>A network of an NVlabs/edm pickle: its classes, options and tensors. Disposing it frees the tensors.</summary>
/// <param name="Network">The outermost module, e.g. of class <c>EDMPrecond</c>.</param>
/// <param name="State">Parameters and persistent buffers by dotted name, e.g. <c>model.enc.32x32_conv.weight</c>, on the CPU in the file's
/// types.</param>
internal sealed record EdmCheckpoint(string Path, EdmModule Network, TensorsByName State) : IDisposable
{
    /// <summary>What makes the network's images of pixels (NVlabs/edm2); null where nothing is said.</summary>
    public EdmModule? Encoder { get; init; }

    public void Dispose() => State.Dispose();
}

/// <summary>A module of a network.</summary>
internal sealed record EdmModule(string Name, string ClassName, int PositionalArguments, ModuleArguments InitArguments,
    ModuleArguments Attributes, IReadOnlyList<EdmModule> Children)
{
    /// <summary>The module of a name directly in this one; null where there is none.</summary>
    public EdmModule? Child(string name) => Children.FirstOrDefault(child => child.Name == name);
}
