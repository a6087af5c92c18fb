namespace FewStep.Search;

/// <summary>
/// Moves the inner noise levels of a schedule continuously to the nearest stationary point of the discretization loss:
/// [g(s_{i+1}) - g(s_i)] L'(s_i) = g'(s_i) [L(s_i) - L(s_{i-1})]. Ends stay, the order stays, and the loss never rises.
/// </summary>
/// <remarks>A damped Newton iteration in u = ln s. The second derivatives form a tridiagonal matrix, so an iteration costs O(N).</remarks>
internal static class SchedulePolish
{
    private const double Tolerance = 1e-13;
    private const double LargestDamping = 1e10;

    public static PolishedSchedule Polish(ILossCurve curve, INoiseWeighting weighting, SamplingSchedule start, int maximumIterations = 200)
    {
        double[] first = [.. start.Sigmas];
        var point = new StationarityPoint(curve, weighting, first);
        double startLoss = point.Loss;
        double damping = 0;
        int iteration = 0;
        while (iteration < maximumIterations && point.Residual > Tolerance && damping <= LargestDamping)
        {
            iteration++;
            double[]? direction = point.NewtonDirection(damping);
            var better = direction is null ? null : Accepted(curve, weighting, point, direction);
            if (better is null)
            {
                damping = Math.Max(1e-4, 10 * damping);
                continue;
            }

            point = better;
            damping = damping < 1e-6 ? 0 : damping / 10;
        }

        // Steps at the level of rounding may add to a rise in the last digit.
        if (point.Loss > startLoss)
            point = new StationarityPoint(curve, weighting, first);
        return new(new SamplingSchedule(point.Sigmas, start.Terminal), point.Loss, point.Residual, iteration, point.Residual <= 1e-9);
    }

    // The first of the halved steps that lowers the loss, or, where the loss is flat to rounding, the residual.
    private static StationarityPoint? Accepted(ILossCurve curve, INoiseWeighting weighting, StationarityPoint point, double[] direction)
    {
        double length = LongestStep(point.Sigmas, direction);
        double rounding = 4 * Math.Pow(2, -52) * Math.Abs(point.Loss);
        for (int halving = 0; halving < 30; halving++, length /= 2)
        {
            double[] moved = [.. point.Sigmas];
            for (int i = 0; i < direction.Length; i++)
                moved[i + 1] *= Math.Exp(length * direction[i]);
            if (!Decreasing(moved))
                continue;
            var candidate = new StationarityPoint(curve, weighting, moved);
            if (candidate.Loss < point.Loss - rounding
                || (candidate.Loss <= point.Loss + rounding && candidate.Residual < 0.9 * point.Residual))
            {
                return candidate;
            }
        }

        return null;
    }

    // No gap between neighbours in ln s shrinks below a tenth in one step.
    private static double LongestStep(double[] sigmas, double[] direction)
    {
        double length = 1;
        for (int i = 0; i + 1 < sigmas.Length; i++)
        {
            double gap = Math.Log(sigmas[i] / sigmas[i + 1]);
            double closing = (i < direction.Length ? direction[i] : 0) - (i > 0 ? direction[i - 1] : 0);
            if (closing > 0)
                length = Math.Min(length, 0.9 * gap / closing);
        }

        return length;
    }

    private static bool Decreasing(double[] sigmas) => sigmas.Zip(sigmas.Skip(1), (s, next) => next < s).All(falls => falls);
}

/// <summary>What a continuous polish of a schedule ended with.</summary>
internal sealed record PolishedSchedule(SamplingSchedule Schedule, double Loss, double Residual, int Iterations, bool Stationary);
