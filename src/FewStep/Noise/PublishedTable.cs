namespace FewStep.Noise;

/// <summary>How a published table of noise levels becomes a schedule of another range and another number of steps.</summary>
internal static class PublishedTable
{
    /// <summary>
    /// The table's first and last levels give way to the schedule's ends; of the others those strictly between the ends stay. If that makes N+1 levels they are the schedule, unchanged. Otherwise they are
    /// resampled log-linearly: ln sigma is linear between neighbours over the index (as NVIDIA publishes it for Align Your Steps).
    /// </summary>
    /// <param name="table">Falling noise levels, two or more.</param>
    /// <param name="steps">N.</param>
    /// <param name="sigmaMax">First noise level of the schedule.</param>
    /// <param name="sigmaMin">Last noise level of the schedule.</param>
    /// <returns>N+1 falling noise levels.</returns>
    public static double[] Fit(IReadOnlyList<double> table, int steps, double sigmaMax, double sigmaMin)
    {
        double[] levels = [sigmaMax, .. table.Skip(1).SkipLast(1).Where(s => s < sigmaMax && s > sigmaMin), sigmaMin];
        long intervals = levels.Length - 1;
        var sigmas = new double[steps + 1];
        for (int i = 0; i <= steps; i++)
        {
            // Whole numbers: a level that is met exactly stays the table's figure.
            (long k, long rest) = Math.DivRem(i * intervals, steps);
            sigmas[i] = rest == 0 ? levels[k] : Math.Exp(Math.Log(levels[k]) + (Math.Log(levels[k + 1] / levels[k]) * rest / steps));
        }

        return sigmas;
    }
}
