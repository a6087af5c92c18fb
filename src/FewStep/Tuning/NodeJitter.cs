namespace FewStep.Tuning;

/// <summary>Moves the sigmas of a schedule at random, uniformly in ln sigma, without changing their order.</summary>
internal static class NodeJitter
{
    // Neighbours that both move to their limit stay a tenth of their distance apart.
    private const double LargestShare = 0.45;

    public static (double Low, double High) Range(SamplingSchedule schedule, int index, double halfWidth)
    {
        double here = Math.Log(schedule.Sigmas[index]);
        double Room(int neighbour) => neighbour < 0 || neighbour > schedule.Steps ? 0
            : Math.Min(halfWidth, LargestShare * Math.Abs(Math.Log(schedule.Sigmas[neighbour]) - here));
        return (here - Room(index + 1), here + Room(index - 1));
    }

    public static SamplingSchedule Move(SamplingSchedule schedule, double halfWidth, long seed)
    {
        if (halfWidth == 0)
            return schedule;
        double[] sigmas = [.. schedule.Sigmas];
        for (int i = 1; i < schedule.Steps; i++)
        {
            var (low, high) = Range(schedule, i, halfWidth);
            double uniform = SeedHash.Derive(seed, i) / (double)long.MaxValue;
            sigmas[i] = Math.Exp(low + (high - low) * uniform);
        }

        return new SamplingSchedule(sigmas, schedule.Terminal);
    }
}
