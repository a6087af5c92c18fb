namespace FewStep.Reporting.Charts;

/// <summary>An axis with equal distances for equal ratios; values above zero only.</summary>
internal sealed class LogAxis(double low, double high, double start, double end) : Axis(
    low > 0 ? low : throw new ArgumentException($"A logarithmic axis starts above 0, not at {low}."), high, start, end)
{
    private static readonly int[][] Multiples = [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3]];

    private double Decades => Math.Log10(High / Low);

    /// <summary>Covers the positive finite values among <paramref name="values"/> with a margin; one around 1 if there are none.</summary>
    public static LogAxis Covering(IEnumerable<double> values, double start, double end, double margin = 0.02)
    {
        double[] positive = [.. values.Where(v => double.IsFinite(v) && v is > 1e-280 and < 1e280)];
        double low = positive.DefaultIfEmpty(1).Min(), high = positive.DefaultIfEmpty(1).Max();
        double factor = high / low > 1.001 ? Math.Pow(high / low, margin) : 1.5;
        return new LogAxis(low / factor, high * factor, start, end);
    }

    public override IReadOnlyList<AxisTick> Ticks(int most)
    {
        most = Math.Max(5, most);
        if (Decades >= 2)
        {
            int count = PowersOfTen().Count();
            int every = (count + most - 1) / most;
            return [.. WithMinor(PowersOfTen().Where(k => k % every == 0).Select(k => Math.Pow(10, k)))];
        }

        foreach (int[] multiples in Multiples)
        {
            double[] values = [.. Decade(multiples)];
            if (values.Length >= 2 && values.Length <= most && values[^1] / values[0] > Math.Sqrt(High / Low))
                return [.. WithMinor(values)];
        }

        return LinearAxis.Between(Low, High, most);
    }

    protected override double Fraction(double value) => value > 0 ? Math.Log(value / Low) / Math.Log(High / Low) : double.NaN;

    private IEnumerable<int> PowersOfTen()
    {
        int first = (int)Math.Ceiling(Math.Log10(Low) - 1e-12), last = (int)Math.Floor(Math.Log10(High) + 1e-12);
        return Enumerable.Range(first, Math.Max(0, last - first + 1));
    }

    private IEnumerable<double> Decade(int[] multiples) =>
        from k in Enumerable.Range((int)Math.Floor(Math.Log10(Low)), (int)Math.Ceiling(Decades) + 2)
        from m in multiples
        let v = m * Math.Pow(10, k)
        where v >= Low * (1 - 1e-12) && v <= High * (1 + 1e-12)
        select v;

    private IEnumerable<AxisTick> WithMinor(IEnumerable<double> labelled)
    {
        AxisTick[] major = [.. labelled.Select(v => new AxisTick(v, Label(v)))];
        IEnumerable<double> minor = Decades < 7 ? Decade([1, 2, 3, 4, 5, 6, 7, 8, 9]) : PowersOfTen().Select(k => Math.Pow(10, k));
        return major.Concat(minor.Where(v => !major.Any(m => Math.Abs((m.Value / v) - 1) < 1e-9)).Select(v => new AxisTick(v, "")))
            .OrderBy(t => t.Value);
    }

    private static string Label(double value) =>
        value.ToString(value is >= 0.0009 and < 99_999 ? "0.####" : "0.##e0", CultureInfo.InvariantCulture);
}
