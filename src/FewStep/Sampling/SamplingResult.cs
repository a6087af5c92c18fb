namespace FewStep.Sampling;

/// <summary>What a run over a schedule gives.</summary>
/// <param name="Samples">Images [B,C,H,W] of the latents' type; the caller owns them.</param>
internal sealed record SamplingResult(Tensor Samples, long Evaluations, double EvaluationsPerImage);
