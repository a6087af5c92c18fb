namespace FewStep.Solvers;

/// <summary>What an exponential solver takes to be smooth along the trajectory, and extrapolates.</summary>
public enum SolverPrediction
{
    /// <summary>The denoiser's output D: data prediction (DPM-Solver++).</summary>
    Data,

    /// <summary>The slope (x - D) / sigma: noise prediction (DPM-Solver).</summary>
    Noise,
}
