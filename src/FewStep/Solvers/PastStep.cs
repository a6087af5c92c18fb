using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Solvers;

/// <summary>A step that was taken: its start and the denoiser's output there. The sampler owns the tensors.</summary>
/// <param name="Sigma">sigma_j.</param>
/// <param name="State">x_j, as its own step corrected it where the solver is a predictor-corrector.</param>
/// <param name="Denoised">D(x_j; sigma_j), evaluated before any correction.</param>
/// <param name="Predicted">x_j before its step corrected it, which is where the denoiser was evaluated; null where nothing was corrected.</param>
public sealed record PastStep(double Sigma, Tensor State, Tensor Denoised, Tensor? Predicted = null)
{
    /// <summary>The slope (x_j - D_j) / sigma_j at the point where the denoiser was evaluated, which is its estimate of the noise; a new tensor, the caller's.</summary>
    public Tensor Slope() => ((Predicted ?? State) - Denoised).Over_(Sigma);
}
