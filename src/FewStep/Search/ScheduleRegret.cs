namespace FewStep.Search;

/// <summary>How much worse a schedule is for having been found on a sample of images: the expected discretization loss above the optimum's,
/// by the delete-a-group jackknife. It is far smaller than the loss's own uncertainty: a curve that moves as a whole moves no
/// schedule.</summary>
/// <remarks>
/// Without one of K groups of images the search finds another schedule, whose loss on the whole sample's curve is a little above the
/// minimum. Near an optimum that is quadratic in the schedule's error, so (K - 1) / K times the sum of these K excesses estimates the
/// excess of the whole sample's schedule on the true curve. What a coarse grid of noise levels costs is not in it.
/// </remarks>
internal static class ScheduleRegret
{
    public const int Groups = 8; // of images, each left out once

    /// <summary>The largest regret over weightings and numbers of steps, relative to the part of the loss that schedules can change (J less
    /// its integral).</summary>
    public static double Widest(LossCurve curve, ImageLosses losses, IReadOnlyList<INoiseWeighting> weightings, IReadOnlyList<int> steps)
    {
        var request = new ScheduleSearchRequest { Steps = steps, SigmaMax = curve.Sigmas[^1], SigmaMin = curve.Sigmas[0] };
        IReadOnlyList<ScheduleSearchResult> Best(ILossCurve fitted)
            => new DiscretizationLossOptimizer(fitted, weightings, gridSize: 256).Search(request);
        var best = Best(curve.Fitted);
        double[] variances = [.. curve.StandardError.Select(e => e * e)];
        var excess = new double[best.Count];
        for (int group = 0; group < Groups; group++)
        {
            var others = Best(new FittedLossCurve(curve.Sigmas.AsSpan(), losses.MeanWithout(group, Groups), variances));
            for (int k = 0; k < excess.Length; k++)
            {
                double loss = DiscretizationLoss.Evaluate(curve.Fitted, weightings[k / steps.Count], others[k].Schedule);
                excess[k] += Math.Max(0, loss - best[k].Loss.Value);
            }
        }

        return best.Select((result, k) => (Groups - 1) * excess[k] / (Groups * Math.Max(result.Bound!.Value, double.Epsilon))).Max();
    }
}
