using MathNet.Numerics.Integration;

namespace FewStep.Search;

/// <summary>
/// The discretization loss J = sum_i [g(s_{i+1}) - g(s_i)] L(s_i) of a schedule: an upper Riemann sum of the training loss curve. J less
/// the integral of L dg bounds the sampler's mean-square error (our reading of arXiv 2412.10786), and the integral does not depend on the
/// inner noise levels.
/// </summary>
/// <remarks>
/// For g = 1/s (power 1), s_N (1 - s_N / s_0) (J - integral) bounds the mean-square endpoint error of one image value when the denoiser's
/// outputs are those on the exact path. A solver evaluates it on its own path, where earlier errors come back; on Gaussian data that
/// exceeds this bound up to several hundred times. For steps that do not stretch errors (Gaussian data), sum_i (1 - s_{i+1} / s_i) times J
/// - integral of power 0 bounds Euler's own path: local errors add up unshrunk (Minkowski), and s_{i+1} d(1/s) is at most -d ln s
/// (Cauchy-Schwarz). A terminal denoise at the last sigma is the same for every schedule with that end and is not counted.
/// </remarks>
internal static class DiscretizationLoss
{
    private const int Panels = 512;
    private const int NodesPerPanel = 8;

    public static double Evaluate(ILossCurve curve, INoiseWeighting weighting, SamplingSchedule schedule)
        => Sum(curve, weighting, schedule.Sigmas.AsSpan());

    /// <summary>The integral of L dg from the larger to the smaller noise level: J of infinitely many steps.</summary>
    public static double Integral(ILossCurve curve, INoiseWeighting weighting, double sigmaMax, double sigmaMin)
    {
        if (!(sigmaMin > 0 && sigmaMin < sigmaMax))
            throw new ArgumentException($"The end {sigmaMin} must lie above 0 and below the start {sigmaMax}.", nameof(sigmaMin));
        double start = Math.Log(sigmaMin);
        double width = Math.Log(sigmaMax / sigmaMin) / Panels;
        var rule = new GaussLegendreRule(-1, 1, NodesPerPanel);
        double total = 0;
        for (int panel = 0; panel < Panels; panel++)
        {
            for (int node = 0; node < NodesPerPanel; node++)
            {
                // Rounding of exp(ln s) must not leave the curve's range.
                double s = Math.Clamp(Math.Exp(start + (width * (panel + 0.5 + (0.5 * rule.Abscissas[node])))), sigmaMin, sigmaMax);
                total += 0.5 * width * rule.Weights[node] * s * -weighting.Derivative(s) * curve.Loss(s);
            }
        }

        return total;
    }

    /// <summary>J less the integral: what discretization adds, never below 0 but for rounding.</summary>
    public static double Bound(ILossCurve curve, INoiseWeighting weighting, SamplingSchedule schedule) =>
        Evaluate(curve, weighting, schedule) - Integral(curve, weighting, schedule.Sigmas[0], schedule.Sigmas[^1]);

    /// <summary>J of a schedule on a measured curve with its confidence interval.</summary>
    /// <remarks>
    /// The error of the curve is propagated to first order, with all covariances. For a schedule found on the same curve the interval holds
    /// as well: at an optimum, J's first-order change does not depend on the inner noise levels (envelope theorem).
    /// </remarks>
    public static LossEstimate Estimate(LossCurve curve, INoiseWeighting weighting, SamplingSchedule schedule) =>
        new(Evaluate(curve.Fitted, weighting, schedule), curve.HalfWidth(Sensitivity(curve, weighting, schedule)), curve.Confidence);

    internal static double Sum(ILossCurve curve, INoiseWeighting weighting, ReadOnlySpan<double> sigmas)
    {
        double total = 0;
        for (int i = 0; i + 1 < sigmas.Length; i++)
            total += (weighting.Value(sigmas[i + 1]) - weighting.Value(sigmas[i])) * curve.Loss(sigmas[i]);
        return total;
    }

    // dJ/dL_k on the grid. Between two grid points ln L counts as linear in ln sigma, which the fitted cubic is to first order.
    private static double[] Sensitivity(LossCurve curve, INoiseWeighting weighting, SamplingSchedule schedule)
    {
        var grid = curve.Sigmas;
        var weights = new double[grid.Length];
        for (int i = 0; i < schedule.Steps; i++)
        {
            double s = schedule.Sigmas[i];
            double step = (weighting.Value(schedule.Sigmas[i + 1]) - weighting.Value(s)) * curve.Fitted.Loss(s);
            int found = grid.AsSpan().BinarySearch(s);
            int k = Math.Clamp(found >= 0 ? found : ~found - 1, 0, grid.Length - 2);
            double t = Math.Clamp(Math.Log(s / grid[k]) / Math.Log(grid[k + 1] / grid[k]), 0, 1);
            weights[k] += step * (1 - t) / curve.Fitted.Loss(grid[k]);
            weights[k + 1] += step * t / curve.Fitted.Loss(grid[k + 1]);
        }

        return weights;
    }
}
