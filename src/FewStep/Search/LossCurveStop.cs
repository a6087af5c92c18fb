namespace FewStep.Search;

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
