namespace FewStep.Solvers;

/// <summary>Heun's method in sigma, the deterministic sampler of EDM (Karras et al. 2022, algorithm 1): two evaluations a step.</summary>
/// <remarks>EDM skips the correction of its last step because that ends at sigma = 0, where the slope is undefined; schedules here end
/// above zero, so every step is corrected.</remarks>
internal sealed class HeunSolver : ISolver
{
    internal static SolverFamily Family { get; } = new(
        "heun", "Heun's method in sigma, EDM's sampler", "Karras et al. 2022, arXiv 2206.00364, algorithm 1", _ => new HeunSolver());

    public string Name => "heun";
    public int Order => 2;
    public string Description => "Heun's method in sigma (EDM); 2 evaluations a step";
    public int HistoryLength => 0;
    public int EvaluationsPerStep => 2;

    public SolverResult Step(SolverStep step)
    {
        double s = step.Sigma, s1 = step.NextSigma, h = s1 - s;
        var x = step.State;
        var x1 = step.Denoised.lerp(x, s1 / s); // Euler's step: x + h d
        var D1 = step.Denoise(x1, s1);
        // x + h (d + d1) / 2 with h d = x1 - x and d1 = (x1 - D1) / s1: few operations on tensors.
        return new SolverResult(x.lerp(x1, 0.5).Plus_(x1 - D1, alpha: h / (2 * s1)));
    }
}
