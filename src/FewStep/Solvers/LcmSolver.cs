namespace FewStep.Solvers;

/// <summary>Multistep consistency sampling: a step jumps to the end of the trajectory, then goes back to the next level by new noise. So
/// networks are sampled that were distilled to jump: latent consistency models and, with EDM's scalings, consistency models.</summary>
/// <remarks>x_(i+1) = D(x_i; s_i) + s_(i+1) n. The end is a denoised image: the last step adds no noise, unless a last denoise
/// follows.</remarks>
internal sealed class LcmSolver : ISolver
{
    internal static SolverFamily Family { get; } = new(
        "lcm", "jumps to the end, then new noise: for consistency models alone",
        "Song et al. 2023, arXiv 2303.01469, algorithm 1; Luo et al. 2023, arXiv 2310.04378", _ => new LcmSolver());

    public string Name => "lcm";
    public int Order => 1;
    public string Description => "multistep consistency sampling, with new noise before each step; 1 evaluation a step";
    public int HistoryLength => 0;
    public bool AddsNoise => true;

    public SolverResult Step(SolverStep step)
        => new(step.IsEnd ? step.Denoised.clone() : step.Denoised.Plus(step.Noise(), alpha: step.NextSigma));
}
