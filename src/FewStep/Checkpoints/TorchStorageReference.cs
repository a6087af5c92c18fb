using static TorchSharp.torch;

namespace FewStep.Checkpoints;

/// <summary>A checkpoint's reference to a storage beside the pickle.</summary>
/// <param name="Type">Type of its numbers.</param>
/// <param name="Size">Bytes of a number.</param>
/// <param name="Key">The file's name of the storage.</param>
/// <param name="Count">How many numbers it holds.</param>
internal sealed record TorchStorageReference(ScalarType Type, int Size, string Key, long Count)
{
    /// <summary>Reads <c>('storage', class, key, location, count)</c>, the form of both of PyTorch's formats; null where it is anything else.</summary>
    public static TorchStorageReference? Parse(object? value)
        => value is PicklePersistentId { Id: object?[] and ["storage", var storageClass, string key, string, long count, .. var view] }
            && count >= 0 && view is [] or [null] && TorchStorageType.Find(storageClass) is { } type
            ? new(type.Type, type.Size, key, count)
            : null;
}
