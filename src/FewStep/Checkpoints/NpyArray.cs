using System.Collections.Immutable;

namespace FewStep.Checkpoints;

/// <summary>A NumPy array: values in C order and a shape.</summary>
internal sealed class NpyArray
{
    public NpyArray(Array values, params ReadOnlySpan<long> shape)
    {
        ArgumentNullException.ThrowIfNull(values);
        _ = NpyElement.Descriptor(values);
        long count = 1;
        foreach (long size in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(size, nameof(shape));
            count = checked(count * size);
        }

        if (count != values.LongLength)
            throw new ArgumentException($"A shape of {count} values does not fit {values.LongLength} values.", nameof(shape));

        (Values, Shape) = (values, [.. shape]);
    }

    /// <summary>The values in C order: <c>float[]</c>, <c>double[]</c>, <c>Half[]</c>, <c>int[]</c>, <c>long[]</c> or
    /// <c>byte[]</c>.</summary>
    public Array Values { get; }

    /// <summary>Sizes of the axes; empty for a single number.</summary>
    public ImmutableArray<long> Shape { get; }

    public T[] As<T>()
        where T : unmanaged => Values as T[] ?? throw new InvalidInputException("A NumPy array holds "
            + $"{Values.GetType().GetElementType()!.Name} values where {typeof(T).Name} is needed. Convert it with astype.");

    /// <summary>The values as float64, whatever their type; a new array.</summary>
    public double[] ToDoubles() => Values switch
    {
        double[] v => [.. v],
        float[] v => Array.ConvertAll(v, x => (double)x),
        Half[] v => Array.ConvertAll(v, x => (double)x),
        int[] v => Array.ConvertAll(v, x => (double)x),
        long[] v => Array.ConvertAll(v, x => (double)x),
        _ => Array.ConvertAll((byte[])Values, x => (double)x),
    };

    /// <summary>Copies the array into a tensor of the same type and shape on the CPU; the caller owns it.</summary>
    public Tensor ToTensor()
    {
        (ScalarType type, int _) = NpyElement.Tensor(Values);
        Tensor tensor = empty([.. Shape], dtype: type);
        if (Values.Length > 0)
            NpyElement.Bytes(Values).CopyTo(tensor.bytes);

        return tensor;
    }

    /// <param name="tensor">float32, float64, float16, int32, int64 or uint8, on any device; not disposed.</param>
    public static NpyArray FromTensor(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        Tensor local = tensor.detach().cpu().contiguous();
        long count = local.numel();
        Array values = tensor.dtype switch
        {
            ScalarType.Float32 => new float[count],
            ScalarType.Float64 => new double[count],
            ScalarType.Float16 => new Half[count],
            ScalarType.Int32 => new int[count],
            ScalarType.Int64 => new long[count],
            ScalarType.Byte => new byte[count],
            _ => throw new ArgumentException($"A NumPy file cannot hold {tensor.dtype} here. Convert the tensor first.", nameof(tensor)),
        };
        if (count > 0)
            local.bytes.CopyTo(NpyElement.Bytes(values));

        return new NpyArray(values, tensor.shape);
    }
}
