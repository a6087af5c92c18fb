namespace FewStep.Reporting.Charts;

/// <summary>Maps values to pixels along one direction.</summary>
internal abstract class Axis(double low, double high, double start, double end)
{
    public double Low { get; } = double.IsFinite(low) && double.IsFinite(high) && low < high ? low
        : throw new ArgumentException($"An axis needs finite, increasing ends, not {low} and {high}.");

    public double High => high;
    public double Start => start;
    public double End => end;
    public double Length => Math.Abs(end - start);

    /// <summary>Fraction of the way from low to high; NaN where the axis has no such value.</summary>
    protected abstract double Fraction(double value);

    /// <summary>Marks in increasing order, of which at least two and about <paramref name="most"/> at most are labelled.</summary>
    public abstract IReadOnlyList<AxisTick> Ticks(int most);

    /// <summary>Pixel of a value, kept within the axis; NaN where the axis has no such value.</summary>
    public double Position(double value) => start + ((end - start) * Math.Clamp(Fraction(value), 0, 1));
}

/// <summary>A mark on an axis; its label is empty for a minor one.</summary>
internal sealed record AxisTick(double Value, string Label)
{
    public bool IsMajor => Label.Length > 0;
}
