namespace FewStep.Reporting.Charts;

/// <summary>An axis with equal distances for equal differences.</summary>
internal class LinearAxis(double low, double high, double start, double end) : Axis(low, high, start, end)
{
    /// <summary>Covers the <paramref name="values"/> that are finite and not absurd; 0 to 1 if there are none.</summary>
    public static LinearAxis Covering(IEnumerable<double> values, double start, double end, double margin = 0)
    {
        double[] finite = [.. values.Where(v => Math.Abs(v) < 1e150)];
        double low = finite.DefaultIfEmpty(0).Min(), high = finite.DefaultIfEmpty(1).Max();
        double padding = high - low > Math.Max(1e-150, 1e-9 * Math.Max(Math.Abs(low), Math.Abs(high))) ? margin * (high - low)
            : Math.Max(1, Math.Abs(low) * 0.1);
        return new LinearAxis(low - padding, high + padding, start, end);
    }

    public override IReadOnlyList<AxisTick> Ticks(int most) => Between(Low, High, most);

    /// <summary>Multiples of 1, 2 or 5 times a power of ten between two values.</summary>
    public static IReadOnlyList<AxisTick> Between(double low, double high, int most)
    {
        double raw = (high - low) / Math.Max(5, most);
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = power * new[] { 1.0, 2, 5, 10 }.First(m => m * power >= raw * (1 - 1e-9));
        int decimals = Math.Max(0, -(int)Math.Floor(Math.Log10(step * 1.001)));
        long first = (long)Math.Ceiling((low / step) - 1e-9), last = (long)Math.Floor((high / step) + 1e-9);
        return [.. Enumerable.Range(0, (int)(last - first + 1)).Select(i => (first + i) * step)
            .Select(v => new AxisTick(v, Label(v, decimals)))];
    }

    protected override double Fraction(double value) => (value - Low) / (High - Low);

    private static string Label(double value, int decimals) =>
        Math.Abs(value) >= 1e7 || decimals > 6 ? value.ToString("0.####e0", CultureInfo.InvariantCulture)
            : NumberText.Fixed(value, decimals);
}

/// <summary>A linear axis with ticks at the values that were measured, as far as their labels have room.</summary>
internal sealed class ListedAxis(
    IReadOnlyList<double> values, double low, double high, double start, double end) : LinearAxis(low, high, start, end)
{
    private const double Room = 26; // pixels from label to label

    public override IReadOnlyList<AxisTick> Ticks(int most)
    {
        var ticks = new List<AxisTick>();
        double last = double.NegativeInfinity;
        foreach (double value in values.Distinct().Order())
        {
            bool labelled = Position(value) - last >= Room;
            ticks.Add(new AxisTick(value, labelled ? NumberText.Evaluations(value) : ""));
            last = labelled ? Position(value) : last;
        }

        return ticks;
    }
}
