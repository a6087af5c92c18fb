using FewStep.Search;

namespace FewStep.Experiments;

/// <summary>The training loss as a function of the noise level, L(sigma) = E |D(x0 + sigma n; sigma) - x0|^2 / dimension.</summary>
/// <param name="Points">Estimates in increasing order of sigma.</param>
/// <param name="ImagesPerPoint">Images drawn for each sigma; 0 where it differs or is unknown.</param>
/// <param name="Confidence">Confidence level of the intervals, between 0 and 1; default 0.95.</param>
public sealed record LossCurveSummary(IReadOnlyList<LossPointSummary> Points, long ImagesPerPoint = 0, double Confidence = 0.95)
{
    internal static LossCurveSummary Of(LossCurve curve) => new(
        [
            .. curve.Sigmas.Select((sigma, k) => new LossPointSummary(
                sigma, curve.Loss[k], curve.Point(k).Low!.Value, curve.Point(k).High!.Value, curve.Fitted.Loss(sigma))),
        ],
        curve.Images, curve.Confidence);
}

/// <summary>The loss at one noise level, in squared pixel units of the model (images in [-1, 1]), per value.</summary>
/// <param name="Sigma">Noise level, above 0.</param>
/// <param name="Loss">Monte-Carlo estimate of L(sigma).</param>
/// <param name="Low">Lower end of the confidence interval.</param>
/// <param name="High">Upper end of the confidence interval.</param>
/// <param name="Fitted">The monotone curve that the search used, at this sigma.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record LossPointSummary(double Sigma, double Loss, double Low, double High, double Fitted);
