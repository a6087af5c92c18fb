namespace FewStep.Sampling;

/// <summary>How a run over a schedule deviates from the plain one.</summary>
public sealed record SamplerOptions
{
    /// <summary>
    /// Takes the slope x / sqrt(1 + sigma^2), which is that of data N(0, I), in place of the first evaluation: saves one evaluation where sigma_0 is large. Default false.
    /// Source: "analytical first step" of Dockhorn et al. 2022 (GENIE).
    /// </summary>
    public bool AnalyticalFirstStep { get; init; }

    /// <summary>
    /// Raises the noise of the state before each step, and adds as much noise: the stochastic sampler of Karras et al. 2022. For solvers without a history only. Default null: none.
    /// </summary>
    public StochasticChurn? Churn { get; init; }
}
