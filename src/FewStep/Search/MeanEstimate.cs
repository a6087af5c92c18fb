using MathNet.Numerics.Distributions;

namespace FewStep.Search;

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
