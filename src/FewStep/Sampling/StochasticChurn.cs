using FewStep.Solvers;

namespace FewStep.Sampling;

/// <summary>The stochastic sampler of EDM: before a step the state's noise level is raised from s to (1 + gamma) s by adding noise (Karras
/// et al. 2022, algorithm 2).</summary>
public sealed record StochasticChurn
{
    /// <summary>S_churn, 0 or more: gamma = min(S_churn / N, sqrt(2) - 1) with N steps. 0 (default) adds nothing.</summary>
    public double Amount { get; init; }

    /// <summary>S_min: smallest noise level at which noise is added, 0 or more; default 0.</summary>
    public double MinimumSigma { get; init; }

    /// <summary>S_max: largest noise level at which noise is added, at least <see cref="MinimumSigma"/>; null (default) for no
    /// limit.</summary>
    public double? MaximumSigma { get; init; }

    /// <summary>S_noise: standard deviation of the noise that is added, in units of what the level needs, 0 to 2; default 1. EDM takes
    /// 1.003 to 1.007 against the detail that networks lose.</summary>
    public double NoiseScale { get; init; } = 1;

    /// <summary>The level to which the noise is raised.</summary>
    /// <param name="sigma">The schedule's level s.</param>
    /// <param name="steps">Number of steps N.</param>
    /// <returns>(1 + gamma) s, or s where nothing is added.</returns>
    public double Raised(double sigma, int steps) =>
        sigma >= MinimumSigma && !(sigma > MaximumSigma) ? sigma * (1 + Math.Min(Amount / steps, Math.Sqrt(2) - 1)) : sigma;

    /// <summary>Checks the values, and that the solver can work with them.</summary>
    internal void Check(ISolver solver)
    {
        new OptionRules("The stochastic sampling is invalid")
            .Require(Amount >= 0 && double.IsFinite(Amount), $"S_churn {Amount} must be finite and 0 or more")
            .Require(MinimumSigma >= 0, $"S_min {MinimumSigma} must be 0 or more")
            .Require(MaximumSigma is null || MaximumSigma >= MinimumSigma, $"S_max {MaximumSigma} must be at least S_min {MinimumSigma}")
            .Require(NoiseScale >= 0 && NoiseScale <= 2, $"S_noise {NoiseScale} must be 0 to 2")
            .Check();
        if (solver.AddsNoise)
            throw new InvalidInputException($"Solver {solver.Name} adds noise of its own; leave stochastic sampling (S_churn) out.");
        if (solver.HistoryLength > 0)
        {
            throw new InvalidInputException($"Stochastic sampling (S_churn) does not go with solver {solver.Name}, which looks at past "
                + "steps; use a one-step solver: euler, heun or dpm2.");
        }
    }
}
