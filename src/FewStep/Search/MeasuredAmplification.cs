using System.Collections.Immutable;

namespace FewStep.Search;

/// <summary>How much a model's own flow amplifies an error on its way from each noise level to the end: what
/// <see cref="MeasuredAmplificationEstimator"/> measured.</summary>
internal sealed record MeasuredAmplification(
    ImmutableArray<double> Sigmas, ImmutableArray<double> Values, int Latents, long NetworkEvaluations, double Seconds);
