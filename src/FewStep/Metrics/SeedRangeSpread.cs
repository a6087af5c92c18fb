namespace FewStep.Metrics;

/// <summary>A metric measured once on each of several disjoint seed ranges: mean and spread, never the best of them.</summary>
/// <param name="Values">The metric of each range, in order.</param>
/// <param name="Mean">Mean of the values.</param>
/// <param name="StandardDeviation">Sample standard deviation of the values (divisor k - 1); null for a single range, whose spread is
/// unknown.</param>
public sealed record SeedRangeSpread(IReadOnlyList<double> Values, double Mean, double? StandardDeviation)
{
    /// <summary>Summarises the values of the ranges.</summary>
    /// <param name="values">One value a range, at least one, all finite.</param>
    /// <exception cref="ArgumentException">There is no value, or one is not finite.</exception>
    public static SeedRangeSpread Of(IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Count == 0 || !values.All(double.IsFinite))
            throw new ArgumentException("A spread needs at least one value, all finite.", nameof(values));
        return new SeedRangeSpread([.. values], values.Average(), Deviation(values));
    }

    /// <summary>Sample standard deviation; NaN where a value is not finite, null below two values.</summary>
    internal static double? Deviation(IReadOnlyList<double> values)
    {
        if (values.Count < 2)
            return null;
        double mean = values.Average();
        return Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1));
    }

    /// <inheritdoc/>
    public override string ToString()
        => StandardDeviation is { } s ? FormattableString.Invariant($"{Mean:G4} ± {s:G4}") : FormattableString.Invariant($"{Mean:G4}");
}
