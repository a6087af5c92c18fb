using MathNet.Numerics.Distributions;

namespace FewStep.Metrics;

/// <summary>The differences of two measurements over the same ranges of seeds, with the two-sided 95 % interval of their mean (Student's
/// t). Equal seeds have equal latents, so the differences vary far less than the values do.</summary>
internal sealed record PairedRanges(int Pairs, double Mean, double? HalfWidth)
{
    private const double Confidence = 0.95;

    /// <summary>Compares the values of the same ranges in the same order; null where there are none.</summary>
    public static PairedRanges? Compare(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        if (first.Count != second.Count)
            throw new ArgumentException($"{second.Count} ranges cannot be paired with {first.Count}.", nameof(second));
        if (first.Count == 0)
            return null;
        var differences = SeedRangeSpread.Of([.. first.Zip(second, (f, s) => s - f)]);
        int k = first.Count;
        double? halfWidth = differences.StandardDeviation is { } s
            ? StudentT.InvCDF(0, 1, k - 1, (1 + Confidence) / 2) * s / Math.Sqrt(k) : null;
        return new(k, differences.Mean, halfWidth);
    }
}
