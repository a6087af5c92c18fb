namespace FewStep.Checkpoints;

/// <summary>A NumPy array: values in C order and a shape.</summary>
internal sealed class NpyArray
{
    public NpyArray(Array values, params ReadOnlySpan<long> shape)
    {
        ArgumentNullException.ThrowIfNull(values);
        Element = NpyElement.Of(values);
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

    /// <summary>The values in C order, an array of one of the types of <see cref="NpyElement"/>.</summary>
    public Array Values { get; }

    public NpyElement Element { get; }

    /// <summary>Sizes of the axes; empty for a single number.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>The values as float64, whatever their type; a new array.</summary>
    public double[] ToDoubles()
    {
        using var scope = NewDisposeScope();
        return ToTensor().to(ScalarType.Float64).flatten().data<double>().ToArray();
    }

    /// <summary>Copies the array into a tensor of the same type and shape on the CPU; the caller owns it.</summary>
    public Tensor ToTensor()
    {
        Tensor tensor = empty([.. Shape], dtype: Element.Scalar);
        if (Values.Length > 0)
            Element.Bytes(Values).CopyTo(tensor.bytes);
        return tensor;
    }

    /// <param name="tensor">float32, float64, float16, int32, int64 or uint8, on any device; not disposed.</param>
    public static NpyArray FromTensor(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        Tensor local = tensor.detach().cpu().contiguous();
        var element = NpyElement.Of(tensor);
        var values = Array.CreateInstance(element.Type, local.numel());
        if (values.Length > 0)
            local.bytes.CopyTo(element.Bytes(values));
        return new NpyArray(values, tensor.shape);
    }
}
