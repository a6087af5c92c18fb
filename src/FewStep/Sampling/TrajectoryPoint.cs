using static TorchSharp.torch;

namespace FewStep.Sampling;

/// <summary>One point of a run. The sampler owns the tensors: they are valid only while the observer is called.</summary>
/// <param name="Index">i, 0 to N.</param>
/// <param name="Sigma">sigma_i, or the level above it to which stochastic sampling raised the state.</param>
/// <param name="State">x_i [B,C,H,W], as the solver stepped from it (corrected, in a predictor-corrector; with the noise of stochastic sampling).</param>
/// <param name="Denoised">D(x_i; sigma_i) as the denoiser gave it, before any correction or thresholding; null at the last sigma, unless the schedule's terminal rule asks for it.</param>
public sealed record TrajectoryPoint(int Index, double Sigma, Tensor State, Tensor? Denoised);
