using System.Numerics;

namespace FewStep.Checkpoints;

/// <summary>PyTorch's serialisation before its zip files: magic number, version, machine, the object, the keys of its storages, then their
/// bytes. It lives on inside pickled modules.</summary>
internal sealed class TorchLegacyFile : ITorchFile
{
    private const long Version = 1001;
    private static readonly BigInteger Magic = BigInteger.Parse("119547037146038801333356", CultureInfo.InvariantCulture);
    private static readonly PickleCalls NoNames = new();
    private static readonly PickleCalls ObjectNames = new([.. TorchStorages.TensorNames, .. TorchStorageType.Names]);
    private readonly ByteSource _source;
    private readonly TorchStorages _storages;
    private readonly Dictionary<string, (TorchStorageReference Reference, long Offset)> _places = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Tensor> _loaded = new(StringComparer.Ordinal);

    public TorchLegacyFile(ByteSource source, TorchStorages storages)
    {
        (_source, _storages) = (source, storages);
        long position = 0;
        if (PickleReader.Read(source, ref position, NoNames) is not BigInteger magic || magic != Magic
            || PickleReader.Read(source, ref position, NoNames) is not Version
            || PickleReader.Read(source, ref position, NoNames) is not PickleDictionary machine
            || machine["little_endian"] is not true)
        {
            throw Damaged("its head is not PyTorch's, version 1001, little-endian");
        }

        var references = new List<PicklePersistentId>();
        Root = PickleReader.Read(source, ref position, ObjectNames, references);
        FindStorages(references,
            PickleReader.Read(source, ref position, NoNames) as List<object?> ?? throw Damaged("it has no list of storages"), position);
    }

    public object? Root { get; }

    public Tensor? Storage(object? description)
    {
        if (TorchStorageReference.Parse(description) is not { } reference || !_places.TryGetValue(reference.Key, out var place)
            || place.Reference != reference)
        {
            return null;
        }

        if (_loaded.TryGetValue(reference.Key, out Tensor? flat))
            return flat;
        long offset = place.Offset;
        return _loaded[reference.Key] = _storages.Load(reference, destination =>
        {
            _source.Read(offset, destination);
            offset += destination.Length;
        });
    }

    private void FindStorages(List<PicklePersistentId> ids, List<object?> keys, long position)
    {
        var references = new Dictionary<string, TorchStorageReference>(StringComparer.Ordinal);
        foreach (PicklePersistentId id in ids)
        {
            TorchStorageReference reference = TorchStorageReference.Parse(id)
                ?? throw Damaged("it refers to what is no storage on this list of types");
            references[reference.Key] = reference;
        }

        Span<byte> count = stackalloc byte[sizeof(long)];
        foreach (object? key in keys)
        {
            if (key is not string name || !references.TryGetValue(name, out TorchStorageReference? reference))
                throw Damaged("it holds a storage that nothing refers to");
            _source.Read(position, count);
            position += count.Length;
            if (BinaryPrimitives.ReadInt64LittleEndian(count) != reference.Count
                || reference.Count > (_source.Length - position) / reference.Size || !_places.TryAdd(name, (reference, position)))
            {
                throw Damaged($"the storage {Printable.Text(name)} is cut short or has another size than stated");
            }

            position += reference.Count * reference.Size;
        }
    }

    private InvalidInputException Damaged(string what)
        => new($"{_source.Name} is damaged or no checkpoint: {what}. Fetch or save it again.");
}
