namespace FewStep.Sampling;

/// <summary>How images are sampled, beside the sampler.</summary>
public sealed record SampleOptions
{
    /// <summary>Images sampled at a time, 1 or more; default 64. It changes them by no more than the network's rounding.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>One label for all images, -1 for "no class"; null (default) for seed mod classes.</summary>
    public long? Label { get; init; }

    /// <summary>
    /// Takes the slope x / sqrt(1 + sigma^2), which is that of data N(0, I), in place of the first evaluation: saves one evaluation where
    /// sigma_0 is large. Default false. Source: "analytical first step" of Dockhorn et al. 2022 (GENIE).
    /// </summary>
    public bool AnalyticalFirstStep { get; init; }

    /// <summary>
    /// Raises the noise of the state before each step, and adds as much noise: the stochastic sampler of Karras et al. 2022. For solvers
    /// without a history only. Default null: none.
    /// </summary>
    public StochasticChurn? Churn { get; init; }
}
