namespace FewStep.Sampling;

/// <summary>One point of a run. The sampler owns the tensors: they are valid only while the observer is called.</summary>
/// <param name="State">x_i [B,C,H,W], as the solver stepped from it (corrected, in a predictor-corrector; with the noise of stochastic
/// sampling).</param>
internal sealed record TrajectoryPoint(int Index, double Sigma, Tensor State, Tensor? Denoised);
