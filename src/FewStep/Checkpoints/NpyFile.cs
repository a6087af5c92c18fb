using System.Runtime.InteropServices;

namespace FewStep.Checkpoints;

/// <summary>Reads and writes NumPy's <c>.npy</c> arrays, versions 1 to 3, never Python objects.</summary>
internal static class NpyFile
{
    /// <summary>Reads an array of a known length in bytes, at most 2 GiB.</summary>
    internal static NpyArray Read(Stream stream, long length, string name)
    {
        NpyHeader header = NpyHeader.Read(stream, length, name);
        var values = Array.CreateInstance(header.Element.Type, header.Count);
        stream.ReadExactly(header.Element.Bytes(values));
        return new NpyArray(header.FortranOrder ? header.Element.FromFortranOrder(values, header.Shape) : values, header.Shape);
    }

    internal static void Write(Stream stream, NpyArray array)
    {
        stream.Write(NpyHeader.Write(array));
        stream.Write(array.Element.Bytes(array.Values));
    }
}

/// <summary>An element type that NumPy files may hold here.</summary>
/// <param name="Descriptor">NumPy's name, little-endian.</param>
/// <param name="Size">Size of one value in bytes.</param>
internal sealed record NpyElement(string Descriptor, Type Type, ScalarType Scalar, int Size)
{
    private static readonly NpyElement[] All =
    [
        new("<f4", typeof(float), ScalarType.Float32, sizeof(float)),
        new("<f8", typeof(double), ScalarType.Float64, sizeof(double)),
        new("<f2", typeof(Half), ScalarType.Float16, 2),
        new("<i4", typeof(int), ScalarType.Int32, sizeof(int)),
        new("<i8", typeof(long), ScalarType.Int64, sizeof(long)),
        new("|u1", typeof(byte), ScalarType.Byte, 1),
    ];

    /// <summary>The type of a name; null for a type that is not read here.</summary>
    public static NpyElement? Of(string descriptor) => All.FirstOrDefault(e => e.Descriptor == (descriptor == "<u1" ? "|u1" : descriptor));

    public static NpyElement Of(Array values) => All.FirstOrDefault(e => e.Type.MakeArrayType() == values.GetType())
        ?? throw new ArgumentException($"A NumPy file cannot hold {values.GetType()} here.", nameof(values));

    public static NpyElement Of(Tensor tensor) => All.FirstOrDefault(e => e.Scalar == tensor.dtype)
        ?? throw new ArgumentException($"A NumPy file cannot hold {tensor.dtype} here. Convert the tensor first.", nameof(tensor));

    public Span<byte> Bytes(Array values)
        => MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(values), values.Length * Size);

    /// <summary>The same values with the first axis fastest in memory turned into the last axis fastest.</summary>
    public Array FromFortranOrder(Array values, ReadOnlySpan<long> shape)
    {
        int axes = shape.Length;
        var result = Array.CreateInstance(Type, values.Length);
        Span<byte> source = Bytes(values), target = Bytes(result);
        Span<long> stride = stackalloc long[axes], index = stackalloc long[axes];
        index.Clear();
        long step = Size;
        for (int axis = 0; axis < axes; axis++)
        {
            stride[axis] = step;
            step *= shape[axis];
        }

        long from = 0;
        for (int to = 0; to < target.Length; to += Size)
        {
            source.Slice((int)from, Size).CopyTo(target[to..]);
            for (int axis = axes - 1; axis >= 0; axis--)
            {
                from += stride[axis];
                if (++index[axis] < shape[axis])
                    break;
                from -= stride[axis] * shape[axis];
                index[axis] = 0;
            }
        }

        return result;
    }
}
