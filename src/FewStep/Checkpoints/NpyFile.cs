using System.Runtime.InteropServices;

namespace FewStep.Checkpoints;

/// <summary>Reads and writes NumPy's <c>.npy</c> files, versions 1 to 3: float16, float32, float64, int32, int64 and uint8, never Python
/// objects.</summary>
internal static class NpyFile
{
    /// <summary>Reads one array of at most 2 GiB.</summary>
    public static NpyArray Read(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return Read(stream, stream.Length, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw ReadFailure.Of(path, e);
        }
    }

    /// <summary>Writes one array, whole or not at all.</summary>
    public static void Write(string path, NpyArray array) => AtomicFile.Write(path, stream => Write(stream, array));

    /// <summary>Reads an array of a known length in bytes.</summary>
    internal static NpyArray Read(Stream stream, long length, string name)
    {
        NpyHeader header = NpyHeader.Read(stream, length, name);
        Array values = NpyElement.Allocate(header.Descriptor, header.Count);
        stream.ReadExactly(NpyElement.Bytes(values));
        return new NpyArray(header.FortranOrder ? NpyElement.FromFortranOrder(values, header.Shape) : values, header.Shape);
    }

    internal static void Write(Stream stream, NpyArray array)
    {
        stream.Write(NpyHeader.Write(array));
        stream.Write(NpyElement.Bytes(array.Values));
    }
}

/// <summary>The element types that NumPy files may hold here, under NumPy's and torch's names.</summary>
internal static class NpyElement
{
    /// <summary>NumPy's name of the array's element type, little-endian.</summary>
    public static string Descriptor(Array values) => values switch
    {
        float[] => "<f4",
        double[] => "<f8",
        Half[] => "<f2",
        int[] => "<i4",
        long[] => "<i8",
        byte[] => "|u1",
        _ => throw new ArgumentException($"A NumPy file cannot hold {values.GetType()} here.", nameof(values)),
    };

    /// <summary>Size of one value in bytes; null for a type that is not read here.</summary>
    public static int? Size(string descriptor) => descriptor switch
    {
        "<f4" or "<i4" => 4,
        "<f8" or "<i8" => 8,
        "<f2" => 2,
        "|u1" or "<u1" => 1,
        _ => null,
    };

    /// <summary>A new array for a type that <see cref="Size"/> knows.</summary>
    public static Array Allocate(string descriptor, int count) => descriptor switch
    {
        "<f4" => GC.AllocateUninitializedArray<float>(count),
        "<f8" => GC.AllocateUninitializedArray<double>(count),
        "<f2" => GC.AllocateUninitializedArray<Half>(count),
        "<i4" => GC.AllocateUninitializedArray<int>(count),
        "<i8" => GC.AllocateUninitializedArray<long>(count),
        _ => GC.AllocateUninitializedArray<byte>(count),
    };

    /// <summary>Torch's type of the array's elements, and their size in bytes.</summary>
    public static (ScalarType Type, int Size) Tensor(Array values) => values switch
    {
        float[] => (ScalarType.Float32, 4),
        double[] => (ScalarType.Float64, 8),
        Half[] => (ScalarType.Float16, 2),
        int[] => (ScalarType.Int32, 4),
        long[] => (ScalarType.Int64, 8),
        _ => (ScalarType.Byte, 1),
    };

    public static Span<byte> Bytes(Array values)
        => MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(values), values.Length * Tensor(values).Size);

    /// <summary>The same values with the first axis fastest in memory turned into the last axis fastest.</summary>
    public static Array FromFortranOrder(Array values, ReadOnlySpan<long> shape) => values switch
    {
        float[] v => Reorder(v, shape),
        double[] v => Reorder(v, shape),
        Half[] v => Reorder(v, shape),
        int[] v => Reorder(v, shape),
        long[] v => Reorder(v, shape),
        _ => Reorder((byte[])values, shape),
    };

    private static T[] Reorder<T>(T[] source, ReadOnlySpan<long> shape)
    {
        int axes = shape.Length;
        var target = GC.AllocateUninitializedArray<T>(source.Length);
        Span<long> stride = stackalloc long[axes];
        Span<long> index = stackalloc long[axes];
        index.Clear();
        long step = 1;
        for (int axis = 0; axis < axes; axis++)
        {
            stride[axis] = step;
            step *= shape[axis];
        }

        long from = 0;
        for (int to = 0; to < target.Length; to++)
        {
            target[to] = source[from];
            for (int axis = axes - 1; axis >= 0; axis--)
            {
                from += stride[axis];
                if (++index[axis] < shape[axis])
                    break;

                from -= stride[axis] * shape[axis];
                index[axis] = 0;
            }
        }

        return target;
    }
}
