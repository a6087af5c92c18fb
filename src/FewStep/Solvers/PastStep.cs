using static TorchSharp.torch;

namespace FewStep.Solvers;

/// <summary>A step that was taken: its start and the denoiser's output there. The sampler owns the tensors.</summary>
/// <param name="Sigma">sigma_j.</param>
/// <param name="State">x_j, as its own step corrected it where the solver is a predictor-corrector.</param>
/// <param name="Denoised">D(x_j; sigma_j), evaluated before any correction.</param>
public sealed record PastStep(double Sigma, Tensor State, Tensor Denoised);
