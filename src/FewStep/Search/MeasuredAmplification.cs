using System.Collections.Immutable;

namespace FewStep.Search;

/// <summary>How much a model's own flow amplifies an error on its way from each noise level to the end: what <see cref="MeasuredAmplificationEstimator"/> measured.</summary>
/// <param name="Sigmas">Falling noise levels; the last is the end of the path.</param>
/// <param name="Values">A at each: root-mean-square length of the error at the end over its length there. Above 0; 1 at the end itself.</param>
/// <param name="Latents">Number of latents that were averaged.</param>
/// <param name="NetworkEvaluations">Network evaluations spent.</param>
/// <param name="Seconds">Wall-clock seconds spent.</param>
public sealed record MeasuredAmplification(ImmutableArray<double> Sigmas, ImmutableArray<double> Values, int Latents, long NetworkEvaluations, double Seconds);
