namespace FewStep.Solvers;

/// <summary>Euler's method in sigma, which is DDIM (Song et al. 2021) and first-order DPM-Solver++: one evaluation a step.</summary>
/// <remarks>x_(i+1) = (s_(i+1) / s_i) x_i + (1 - s_(i+1) / s_i) D_i, so the end is a convex combination of the start and the denoiser's
/// outputs.</remarks>
internal sealed class EulerSolver : ISolver
{
    internal static SolverFamily Family { get; } = new(
        "euler", "Euler's method in sigma, which is DDIM", "Song et al. 2021, arXiv 2010.02502", _ => new EulerSolver());

    public string Name => "euler";
    public int Order => 1;
    public string Description => "Euler's method in sigma (DDIM); 1 evaluation a step";
    public int HistoryLength => 0;

    public SolverResult Step(SolverStep step)
    {
        double r = step.NextSigma / step.Sigma;
        return new SolverResult(step.Denoised.lerp(step.State, r));
    }
}
