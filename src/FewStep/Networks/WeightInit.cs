namespace FewStep.Networks;

/// <summary>How a parameter begins: a distribution by fan-in and fan-out, times a scale, as NVlabs/edm's <c>weight_init</c>.</summary>
internal sealed record WeightInit(WeightInitMode Mode, double Scale = 1)
{
    public static WeightInit Zeros { get; } = new(WeightInitMode.Constant, 0);
    public static WeightInit Ones { get; } = new(WeightInitMode.Constant, 1);

    /// <returns>float32; the caller owns it.</returns>
    public Tensor Create(long[] shape, Generator generator)
    {
        if (Mode == WeightInitMode.Constant)
            return TensorArithmetic.Full(shape, Scale, ScalarType.Float32);
        long area = shape.Skip(2).Aggregate(1L, (a, b) => a * b);
        double fanIn = shape[1] * area, fanOut = shape[0] * area;
        using var scope = NewDisposeScope();
        var values = Mode switch
        {
            WeightInitMode.XavierUniform => rand(shape, generator: generator).Times(2).Minus(1).Times(Math.Sqrt(6 / (fanIn + fanOut))),
            WeightInitMode.KaimingUniform => rand(shape, generator: generator).Times(2).Minus(1).Times(Math.Sqrt(3 / fanIn)),
            WeightInitMode.KaimingNormal => randn(shape, generator: generator).Times(Math.Sqrt(1 / fanIn)),
            _ => throw new InvalidOperationException($"Unknown initialisation {Mode}."),
        };
        return values.Times(Scale).MoveToOuterDisposeScope();
    }
}

/// <summary>Distributions of initial weights.</summary>
internal enum WeightInitMode
{
    Constant,

    /// <summary>Uniform of half-width sqrt(6 / (fan-in + fan-out)).</summary>
    XavierUniform,

    /// <summary>Uniform of half-width sqrt(3 / fan-in).</summary>
    KaimingUniform,

    /// <summary>Normal of standard deviation sqrt(1 / fan-in).</summary>
    KaimingNormal,
}
