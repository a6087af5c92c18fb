using static TorchSharp.torch;

namespace FewStep.Checkpoints;

/// <summary>PyTorch's storage classes, as checkpoints name them.</summary>
internal static class TorchStorageType
{
    private static readonly Dictionary<string, (ScalarType Type, int Size)> Types = new(StringComparer.Ordinal)
    {
        ["torch.FloatStorage"] = (ScalarType.Float32, 4),
        ["torch.DoubleStorage"] = (ScalarType.Float64, 8),
        ["torch.HalfStorage"] = (ScalarType.Float16, 2),
        ["torch.BFloat16Storage"] = (ScalarType.BFloat16, 2),
        ["torch.LongStorage"] = (ScalarType.Int64, 8),
        ["torch.IntStorage"] = (ScalarType.Int32, 4),
        ["torch.ShortStorage"] = (ScalarType.Int16, 2),
        ["torch.CharStorage"] = (ScalarType.Int8, 1),
        ["torch.ByteStorage"] = (ScalarType.Byte, 1),
        ["torch.BoolStorage"] = (ScalarType.Bool, 1),
    };

    /// <summary>Full names of all storage classes.</summary>
    public static IEnumerable<string> Names => Types.Keys;

    /// <summary>Type and size in bytes of the class's numbers; null for a class that is not on the list.</summary>
    public static (ScalarType Type, int Size)? Find(object? storageClass)
        => storageClass is PickleName name && Types.TryGetValue(name.FullName, out (ScalarType, int) found) ? found : null;
}
