using static TorchSharp.torch;

namespace FewStep.Sampling;

/// <summary>What a run over a schedule gives.</summary>
/// <param name="Samples">Images [B,C,H,W] of the latents' type; the caller owns them.</param>
/// <param name="Evaluations">Network evaluations that were counted, one for each image.</param>
/// <param name="EvaluationsPerImage">The counted number of function evaluations (NFE): <paramref name="Evaluations"/> over the batch.</param>
public sealed record SamplingResult(Tensor Samples, long Evaluations, double EvaluationsPerImage);
