using TorchSharp;

namespace FewStep.Platform;

/// <summary>Arithmetic of tensors with numbers.</summary>
/// <remarks>
/// TorchSharp makes every number in a tensor expression a <see cref="Scalar"/>, also those that nobody wrote: the 1 of <c>x + y</c>, the 2
/// of <c>x.square()</c>. It gives libtorch the scalar's address and keeps it alive no longer, so that a garbage collection on another
/// thread may free it while libtorch reads it: the operation fails, or computes with another number. These are TorchSharp's own operations,
/// bit for bit, with numbers that are kept until libtorch is done; <c>src/BannedSymbols.txt</c> forbids the others.
/// </remarks>
public static class TensorArithmetic
{
    /// <summary>0, never collected.</summary>
    public static readonly Scalar Zero = Number(0);

    /// <summary>1, never collected.</summary>
    public static readonly Scalar One = Number(1);

    /// <summary>-1, the label of "no class"; never collected.</summary>
    public static readonly Scalar MinusOne = Number(-1);

    private static readonly Scalar Two = Number(2);

    /// <summary>x + y.</summary>
    /// <param name="x">x.</param>
    /// <param name="y">y.</param>
    public static Tensor Plus(this Tensor x, Tensor y) => x.add(y, One);

    /// <summary>x + alpha y.</summary>
    /// <param name="x">x.</param>
    /// <param name="y">y.</param>
    /// <param name="alpha">Factor of y.</param>
    public static Tensor Plus(this Tensor x, Tensor y, double alpha)
    {
        using var factor = Number(alpha);
        return x.add(y, factor);
    }

    /// <inheritdoc cref="Plus(Tensor, Tensor)"/>
    public static Tensor Plus(this Tensor x, double y)
    {
        using var number = Number(y);
        return x.add(number, One);
    }

    /// <summary>x + y; whole numbers stay whole.</summary>
    /// <param name="x">x.</param>
    /// <param name="y">y.</param>
    public static Tensor Plus(this Tensor x, long y)
    {
        using var number = Number(y);
        return x.add(number, One);
    }

    /// <summary>x - y.</summary>
    /// <param name="x">x.</param>
    /// <param name="y">y.</param>
    public static Tensor Minus(this Tensor x, double y)
    {
        using var number = Number(y);
        return x.sub(number);
    }

    /// <summary>x - y; whole numbers stay whole.</summary>
    /// <param name="x">x.</param>
    /// <param name="y">y.</param>
    public static Tensor Minus(this Tensor x, long y)
    {
        using var number = Number(y);
        return x.sub(number);
    }

    /// <summary>x y.</summary>
    /// <param name="x">x.</param>
    /// <param name="y">y.</param>
    public static Tensor Times(this Tensor x, double y)
    {
        using var number = Number(y);
        return x.mul(number);
    }

    /// <summary>x y; whole numbers stay whole.</summary>
    /// <param name="x">x.</param>
    /// <param name="y">y.</param>
    public static Tensor Times(this Tensor x, long y)
    {
        using var number = Number(y);
        return x.mul(number);
    }

    /// <summary>x / y.</summary>
    /// <param name="x">x.</param>
    /// <param name="y">y.</param>
    public static Tensor Over(this Tensor x, double y)
    {
        using var number = Number(y);
        return x.div(number);
    }

    /// <inheritdoc cref="Over(Tensor, double)"/>
    public static Tensor Over(this Tensor x, long y)
    {
        using var number = Number(y);
        return x.div(number);
    }

    /// <summary>x^2.</summary>
    /// <param name="x">x.</param>
    public static Tensor Squared(this Tensor x) => x.pow(Two);

    /// <summary>x, but at least <paramref name="low"/> and at most <paramref name="high"/>; whole numbers stay whole.</summary>
    /// <param name="x">x.</param>
    /// <param name="low">Smallest value.</param>
    /// <param name="high">Largest value.</param>
    public static Tensor Clamp(this Tensor x, long low, long high)
    {
        using Scalar min = Number(low), max = Number(high);
        return x.clamp(min, max);
    }

    /// <summary>x := x + y.</summary>
    /// <param name="x">x; changed.</param>
    /// <param name="y">y.</param>
    /// <returns>x.</returns>
    internal static Tensor Plus_(this Tensor x, Tensor y) => x.add_(y, One);

    /// <summary>x := x + alpha y.</summary>
    /// <param name="x">x; changed.</param>
    /// <param name="y">y.</param>
    /// <param name="alpha">Factor of y.</param>
    /// <returns>x.</returns>
    internal static Tensor Plus_(this Tensor x, Tensor y, double alpha)
    {
        using var factor = Number(alpha);
        return x.add_(y, factor);
    }

    /// <inheritdoc cref="Plus_(Tensor, Tensor)"/>
    internal static Tensor Plus_(this Tensor x, double y)
    {
        using var number = Number(y);
        return x.add_(number, One);
    }

    /// <summary>x := x y.</summary>
    /// <param name="x">x; changed.</param>
    /// <param name="y">y.</param>
    /// <returns>x.</returns>
    internal static Tensor Times_(this Tensor x, double y)
    {
        using var number = Number(y);
        return x.mul_(number);
    }

    /// <summary>x := x / y.</summary>
    /// <param name="x">x; changed.</param>
    /// <param name="y">y.</param>
    /// <returns>x.</returns>
    internal static Tensor Over_(this Tensor x, double y)
    {
        using var number = Number(y);
        return x.div_(number);
    }

    /// <summary>A tensor of one value.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="value">The value.</param>
    /// <param name="type">Its type.</param>
    /// <param name="device">Where it lies; null for the processor.</param>
    public static Tensor Full(ReadOnlySpan<long> shape, double value, ScalarType type, Device? device = null)
    {
        using var number = Number(value);
        return full(shape, number, type, device);
    }

#pragma warning disable RS0030 // kept until they were read, or the caller's to keep
    /// <summary>The value of a tensor of one element.</summary>
    /// <param name="x">The tensor.</param>
    public static double AsDouble(this Tensor x)
    {
        using var value = x.ToScalar();
        return value.ToDouble();
    }

    /// <inheritdoc cref="AsDouble"/>
    public static long AsInt64(this Tensor x)
    {
        using var value = x.ToScalar();
        return value.ToInt64();
    }

    /// <inheritdoc cref="AsDouble"/>
    public static bool AsBoolean(this Tensor x)
    {
        using var value = x.ToScalar();
        return value.ToBoolean();
    }

    /// <summary>A number for libtorch; hold it in a <c>using</c> around the operation.</summary>
    /// <param name="value">The number.</param>
    public static Scalar Number(double value) => value;

    /// <inheritdoc cref="Number(double)"/>
    public static Scalar Number(long value) => value;
#pragma warning restore RS0030
}
