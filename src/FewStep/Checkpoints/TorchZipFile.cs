namespace FewStep.Checkpoints;

/// <summary>What PyTorch wrote, in either of its formats.</summary>
internal interface ITorchFile
{
    /// <summary>The object; tensors and storages in it are still descriptions.</summary>
    object? Root { get; }

    /// <summary>The storage that a description stands for, as a flat tensor of the dispose scope in which it was first asked for; null
    /// where it stands for none.</summary>
    Tensor? Storage(object? description);
}

/// <summary>PyTorch's zip container, of <c>torch.save</c> and of TorchScript alike: one folder with <c>data.pkl</c> and the storages' bytes
/// under <c>data/</c>. Code in it is never looked at.</summary>
internal sealed class TorchZipFile : ITorchFile
{
    private const string Pickle = "data.pkl";
    private const int MaximumPickleBytes = 256 << 20;
    private readonly ZipContent _zip;
    private readonly string _path;
    private readonly string _folder;
    private readonly TorchStorages _storages;
    private readonly Dictionary<string, (TorchStorageReference Reference, Tensor Flat)> _loaded = new(StringComparer.Ordinal);

    public TorchZipFile(ZipContent zip, string path, TorchStorages storages, PickleCalls names)
    {
        (_zip, _path, _storages) = (zip, path, storages);
        string[] pickles = [.. Find(zip, Pickle)];
        if (pickles is not [var found])
        {
            throw new InvalidInputException(
                $"{path} is a zip file but not one that torch.save wrote: it has {pickles.Length} entries named data.pkl.");
        }

        _folder = found[..^Pickle.Length];
        if (zip.Length(_folder + "byteorder") is not null && Encoding.ASCII.GetString(zip.ReadAll(_folder + "byteorder", 16)) != "little")
            throw new InvalidInputException($"{path} was saved on a big-endian machine. Save it again on a little-endian one.");
        var references = new List<PicklePersistentId>();
        long position = 0;
        using var bytes = new ByteSource(zip.ReadAll(found, MaximumPickleBytes), path);
        Root = PickleReader.Read(bytes, ref position, names, references);
    }

    public object? Root { get; }

    /// <summary>The entries of a name, at the top or in a folder there.</summary>
    public static IEnumerable<string> Find(ZipContent zip, string file) => zip.Names.Where(
        name => name == file || (name.EndsWith("/" + file, StringComparison.Ordinal) && name.Count(c => c == '/') == 1));

    public Tensor? Storage(object? description)
    {
        if (TorchStorageReference.Parse(description) is not { } reference)
            return null;
        if (!_loaded.TryGetValue(reference.Key, out var storage))
        {
            string entry = $"{_folder}data/{reference.Key}";
            if (_zip.Length(entry) is not { } length || length % reference.Size != 0 || length / reference.Size != reference.Count)
            {
                throw new InvalidInputException($"{_path} is damaged: the storage {Printable.Text(reference.Key)} is missing or has "
                    + "another size than stated. Fetch the file again.");
            }

            Tensor? flat = null;
            _zip.Read(entry, stream => flat = _storages.Load(reference, stream.ReadExactly));
            _loaded[reference.Key] = storage = (reference, flat!);
        }

        return storage.Reference == reference ? storage.Flat : null;
    }
}
