namespace FewStep.Search;

/// <summary>How a loss curve was measured.</summary>
/// <param name="Source">What the images were, for people; null where they were given.</param>
internal sealed record LossCurveOrigin(long NetworkEvaluations, double Seconds, LossCurveStop Stop, double RelativeHalfWidth, long Seed,
    string? ModelHash = null, double? RelativeRegret = null, double? MeanImageLoss = null, string? Source = null)
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
        ? InvariantText.Of($"its schedules lose some {100 * regret:0.##} % for having seen no other images, and "
            + $"the discretization losses are known to {100 * RelativeHalfWidth:0.#} %")
        : InvariantText.Of($"the discretization losses are known to {100 * RelativeHalfWidth:0.#} %");
}

/// <summary>Why the estimation of a loss curve stopped.</summary>
internal enum LossCurveStop
{
    /// <summary>The curve is as good as was asked.</summary>
    PrecisionReached,

    /// <summary>The largest number of images was used before that.</summary>
    ImageLimitReached,

    /// <summary>Every image of the source was used before that.</summary>
    ImagesExhausted,
}
