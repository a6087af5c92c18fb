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
    public static Tensor Plus(this Tensor x, Tensor y) => x.add(y, One);

    /// <summary>x + alpha y.</summary>
    public static Tensor Plus(this Tensor x, Tensor y, double alpha) => With(Number(alpha), factor => x.add(y, factor));

    /// <summary>x + y.</summary>
    public static Tensor Plus(this Tensor x, double y) => With(Number(y), number => x.add(number, One));

    /// <summary>x + y; whole numbers stay whole.</summary>
    public static Tensor Plus(this Tensor x, long y) => With(Number(y), number => x.add(number, One));

    /// <summary>x - y.</summary>
    public static Tensor Minus(this Tensor x, double y) => With(Number(y), x.sub);

    /// <summary>x - y; whole numbers stay whole.</summary>
    public static Tensor Minus(this Tensor x, long y) => With(Number(y), x.sub);

    /// <summary>x y.</summary>
    public static Tensor Times(this Tensor x, double y) => With(Number(y), x.mul);

    /// <summary>x y; whole numbers stay whole.</summary>
    public static Tensor Times(this Tensor x, long y) => With(Number(y), x.mul);

    /// <summary>x / y.</summary>
    public static Tensor Over(this Tensor x, double y) => With(Number(y), number => x.div(number));

    /// <summary>x / y.</summary>
    public static Tensor Over(this Tensor x, long y) => With(Number(y), number => x.div(number));

    /// <summary>x^2.</summary>
    public static Tensor Squared(this Tensor x) => x.pow(Two);

    /// <summary>x, but at least <paramref name="low"/> and at most <paramref name="high"/>; whole numbers stay whole.</summary>
    public static Tensor Clamp(this Tensor x, long low, long high)
    {
        using Scalar min = Number(low), max = Number(high);
        return x.clamp(min, max);
    }

    // These change x, and return it.
    internal static Tensor Plus_(this Tensor x, Tensor y) => x.add_(y, One);
    internal static Tensor Plus_(this Tensor x, Tensor y, double alpha) => With(Number(alpha), factor => x.add_(y, factor));
    internal static Tensor Plus_(this Tensor x, double y) => With(Number(y), number => x.add_(number, One));
    internal static Tensor Times_(this Tensor x, double y) => With(Number(y), x.mul_);
    internal static Tensor Over_(this Tensor x, double y) => With(Number(y), number => x.div_(number));

    /// <summary>A tensor of one value, on the processor where no device is named.</summary>
    public static Tensor Full(ReadOnlySpan<long> shape, double value, ScalarType type, Device? device = null)
    {
        using var number = Number(value);
        return full(shape, number, type, device);
    }

#pragma warning disable RS0030 // kept until they were read, or the caller's to keep
    /// <summary>The value of a tensor of one element.</summary>
    public static double AsDouble(this Tensor x) => With(x.ToScalar(), value => value.ToDouble());

    /// <inheritdoc cref="AsDouble"/>
    public static long AsInt64(this Tensor x) => With(x.ToScalar(), value => value.ToInt64());

    /// <inheritdoc cref="AsDouble"/>
    public static bool AsBoolean(this Tensor x) => With(x.ToScalar(), value => value.ToBoolean());

    /// <summary>A number for libtorch; hold it in a <c>using</c> around the operation.</summary>
    public static Scalar Number(double value) => value;

    /// <inheritdoc cref="Number(double)"/>
    public static Scalar Number(long value) => value;
#pragma warning restore RS0030

    // Holds the number until libtorch is done.
    private static T With<T>(Scalar number, Func<Scalar, T> operation)
    {
        using (number)
            return operation(number);
    }
}
