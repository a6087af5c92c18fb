namespace FewStep.Solvers;

/// <summary>Euler's method in sigma, which is DDIM (Song et al. 2021) and first-order DPM-Solver++: one evaluation a step.</summary>
/// <remarks>x_(i+1) = (s_(i+1) / s_i) x_i + (1 - s_(i+1) / s_i) D_i, so the end is a convex combination of the start and the denoiser's outputs.</remarks>
public sealed class EulerSolver : ISolver
{
    /// <summary>The family.</summary>
    internal static SolverFamily Family { get; } = new("euler", "Euler's method in sigma, which is DDIM", "Song et al. 2021, arXiv 2010.02502", _ => new EulerSolver());

    /// <inheritdoc/>
    public string Name => "euler";

    /// <inheritdoc/>
    public int Order => 1;

    /// <inheritdoc/>
    public string Description => "Euler's method in sigma (DDIM); 1 evaluation a step";

    /// <inheritdoc/>
    public int HistoryLength => 0;

    /// <inheritdoc/>
    public SolverResult Step(SolverStep step)
    {
        double r = step.NextSigma / step.Sigma;
        return new SolverResult(step.Denoised.lerp(step.State, r));
    }
}
