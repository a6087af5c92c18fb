namespace FewStep.ScheduleSearch;

/// <summary>How a loss curve was measured.</summary>
/// <param name="NetworkEvaluations">Network evaluations spent (images times calls, as counted at the network).</param>
/// <param name="Seconds">Wall-clock seconds.</param>
/// <param name="Stop">Why the measurement stopped.</param>
/// <param name="RelativeHalfWidth">Widest relative half-width of the confidence interval of the discretization loss over the requested schedules when it stopped.</param>
/// <param name="Seed">The run's seed, which chose images and noise.</param>
/// <param name="ModelHash">Identifies the model; null where it was not told.</param>
public sealed record LossCurveOrigin(long NetworkEvaluations, double Seconds, LossCurveStop Stop, double RelativeHalfWidth, long Seed, string? ModelHash = null)
{
    /// <summary>A sentence for people where the precision was not reached; null where it was.</summary>
    public string? Remark => Stop switch
    {
        LossCurveStop.PrecisionReached => null,
        LossCurveStop.ImagesExhausted => FormattableString.Invariant($"The loss curve ran out of images: the discretization losses are known to {100 * RelativeHalfWidth:F1} % only."),
        _ => FormattableString.Invariant($"The loss curve stopped at the largest number of images allowed: the discretization losses are known to {100 * RelativeHalfWidth:F1} % only."),
    };
}
