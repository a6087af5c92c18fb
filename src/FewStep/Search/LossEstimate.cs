using MathNet.Numerics.Distributions;

namespace FewStep.Search;

/// <summary>A number with the half-width of its confidence interval.</summary>
/// <param name="Value">The number.</param>
/// <param name="HalfWidth">Half the interval's width, at least 0; null where the uncertainty is not known (exact or blended curves,
/// objectives without sampling).</param>
/// <param name="Confidence">Share of such intervals that hold the truth, 0 to 1; null with the half-width.</param>
public sealed record LossEstimate(double Value, double? HalfWidth = null, double? Confidence = null)
{
    /// <summary>Lower end of the interval; null where the uncertainty is not known.</summary>
    public double? Low => Value - HalfWidth;

    /// <summary>Upper end of the interval; null where the uncertainty is not known.</summary>
    public double? High => Value + HalfWidth;

    /// <summary>The same as a sampler's file has it; null where the uncertainty is not known.</summary>
    internal ScheduleLoss? Interval => HalfWidth is null ? null : new(Value, Low!.Value, High!.Value);

    /// <summary>Half-width relative to the value's size; null where the uncertainty is not known or the value is 0.</summary>
    public double? RelativeHalfWidth => Value == 0 ? null : HalfWidth / Math.Abs(Value);
}

/// <summary>The mean of independent observations with its confidence interval by Student's t.</summary>
internal static class MeanEstimate
{
    private const double Confidence = 0.95;

    public static LossEstimate Of(IReadOnlyCollection<double> values)
    {
        double mean = values.Average();
        double variance = values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1);
        double quantile = StudentT.InvCDF(0, 1, values.Count - 1, 0.5 + (0.5 * Confidence));
        return new LossEstimate(mean, quantile * Math.Sqrt(variance / values.Count), Confidence);
    }
}
