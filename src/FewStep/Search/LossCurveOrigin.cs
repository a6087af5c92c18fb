namespace FewStep.Search;

/// <summary>How a loss curve was measured.</summary>
/// <param name="NetworkEvaluations">Network evaluations spent (images times calls, as counted at the network).</param>
/// <param name="Seconds">Wall-clock seconds.</param>
/// <param name="Stop">Why the measurement stopped.</param>
/// <param name="RelativeHalfWidth">Widest relative half-width of the confidence interval of the discretization loss over the requested schedules when it stopped.</param>
/// <param name="Seed">The run's seed, which chose images and noise.</param>
/// <param name="ModelHash">Identifies the model; null where it was not told.</param>
/// <param name="RelativeRegret">What schedules found on the curve are expected to lose, relative to what schedules can change (<see cref="LossCurveOptions.RelativeRegret"/>); null where it was not measured.</param>
/// <param name="MeanImageLoss">The loss that always answering with the mean of the measured images would have, their variance; null where it was not measured.</param>
public sealed record LossCurveOrigin(long NetworkEvaluations, double Seconds, LossCurveStop Stop, double RelativeHalfWidth, long Seed, string? ModelHash = null, double? RelativeRegret = null, double? MeanImageLoss = null)
{
    /// <summary>A sentence for people where the curve is not as good as was asked; null where it is.</summary>
    public string? Remark => Stop switch
    {
        LossCurveStop.PrecisionReached => null,
        LossCurveStop.ImagesExhausted => $"The loss curve ran out of images: {Quality}.",
        _ => $"The loss curve stopped at the largest number of images allowed: {Quality}.",
    };

    /// <summary>How good the curve is, as a clause for people.</summary>
    public string Quality => RelativeRegret is double regret
        ? FormattableString.Invariant($"its schedules lose some {100 * regret:0.##} % for having seen no other images, and the discretization losses are known to {100 * RelativeHalfWidth:0.#} %")
        : FormattableString.Invariant($"the discretization losses are known to {100 * RelativeHalfWidth:0.#} %");
}
