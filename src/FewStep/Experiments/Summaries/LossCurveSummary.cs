using System.Text.Json.Serialization;
using FewStep.Search;

namespace FewStep.Experiments;

/// <summary>The training loss as a function of the noise level, L(sigma) = E |D(x0 + sigma n; sigma) - x0|^2 / dimension.</summary>
public sealed record LossCurveSummary
{
    /// <summary>Estimates in increasing order of sigma.</summary>
    public required IReadOnlyList<LossPointSummary> Points { get; init; }

    /// <summary>Images drawn for each sigma; 0 where it differs or is unknown.</summary>
    public long ImagesPerPoint { get; init; }

    /// <summary>Confidence level of the intervals, between 0 and 1; default 0.95.</summary>
    public double Confidence { get; init; } = 0.95;

    internal static LossCurveSummary Of(LossCurve curve) => new()
    {
        Points =
        [
            .. curve.Sigmas.Select((sigma, k) =>
                new LossPointSummary(
                    sigma, curve.Loss[k], curve.Point(k).Low!.Value, curve.Point(k).High!.Value, curve.Fitted.Loss(sigma))),
        ],
        ImagesPerPoint = curve.Images,
        Confidence = curve.Confidence,
    };
}

/// <summary>The loss at one noise level, in squared pixel units of the model (images in [-1, 1]), per value.</summary>
/// <param name="Sigma">Noise level, above 0.</param>
/// <param name="Loss">Monte-Carlo estimate of L(sigma).</param>
/// <param name="Low">Lower end of the confidence interval.</param>
/// <param name="High">Upper end of the confidence interval.</param>
/// <param name="Fitted">The monotone curve that the search used, at this sigma.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record LossPointSummary(double Sigma, double Loss, double Low, double High, double Fitted);
