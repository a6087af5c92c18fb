namespace FewStep.Reporting.Charts;

/// <summary>Maps values to pixels along one direction.</summary>
internal abstract class Axis
{
    protected Axis(double low, double high, double start, double end)
    {
        if (!(double.IsFinite(low) && double.IsFinite(high) && low < high))
            throw new ArgumentException($"An axis needs finite, increasing ends, not {low} and {high}.");

        (Low, High, Start, End) = (low, high, start, end);
    }

    public double Low { get; }
    public double High { get; }
    public double Start { get; }
    public double End { get; }
    public double Length => Math.Abs(End - Start);

    /// <summary>Fraction of the way from low to high; NaN where the axis has no such value.</summary>
    protected abstract double Fraction(double value);

    /// <summary>Marks within the domain, in increasing order, of which at least two and about <paramref name="most"/> at most are
    /// labelled.</summary>
    public abstract IReadOnlyList<AxisTick> Ticks(int most);

    /// <summary>Pixel of a value, kept within the axis; NaN where the axis has no such value.</summary>
    public double Position(double value) => Start + ((End - Start) * Math.Clamp(Fraction(value), 0, 1));
}

/// <summary>A mark on an axis; its label is empty for a minor one.</summary>
internal sealed record AxisTick(double Value, string Label)
{
    public bool IsMajor => Label.Length > 0;
}
