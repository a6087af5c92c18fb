namespace FewStep.Experiments;

/// <summary>The differences of two measurements over the ranges of seeds that both have. Equal seeds have equal latents, so the differences vary far less than the values do.</summary>
/// <param name="Pairs">Number of ranges k that both have.</param>
/// <param name="Mean">Mean of the differences, the second's value less the first's.</param>
/// <param name="StandardError">s / sqrt(k), s the sample standard deviation of the differences; null below two pairs.</param>
internal sealed record PairedDifference(int Pairs, double Mean, double? StandardError)
{
    /// <summary>Pairs two measurements.</summary>
    /// <param name="first">The one that is subtracted.</param>
    /// <param name="second">The other one.</param>
    /// <returns>The differences; null where no range is in both.</returns>
    public static PairedDifference? Of(DistanceSummary first, DistanceSummary second)
    {
        double[] differences = [.. from f in first.Ranges join s in second.Ranges on f.FirstSeed equals s.FirstSeed select s.Value - f.Value];
        int k = differences.Length;
        if (k == 0)
        {
            return null;
        }

        double mean = differences.Average();
        return new(k, mean, k < 2 ? null : Math.Sqrt(differences.Sum(d => (d - mean) * (d - mean)) / (k - 1) / k));
    }
}
