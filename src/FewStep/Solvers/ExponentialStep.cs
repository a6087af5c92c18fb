namespace FewStep.Solvers;

/// <summary>
/// A step in lambda = -ln sigma, in which the linear part of the ODE is integrated exactly: x_(i+1) = StateWeight x_i + OutputWeight sum_k phi_k(Exponent) times the
/// derivatives of the output, scaled by powers of the step (Lu et al. 2022, DPM-Solver, equation 3.4, and DPM-Solver++, equation 8, with alpha = 1).
/// </summary>
/// <param name="Sigma">Where the step starts.</param>
/// <param name="NextSigma">Where it ends.</param>
/// <param name="Prediction">Which output is extrapolated.</param>
internal readonly record struct ExponentialStep(double Sigma, double NextSigma, SolverPrediction Prediction)
{
    /// <summary>h, the length in lambda, above 0.</summary>
    public double Length => Math.Log(Sigma / NextSigma);

    /// <summary>z, the argument of the phi functions: -h for data prediction, h for noise prediction.</summary>
    public double Exponent => Prediction == SolverPrediction.Data ? -Length : Length;

    /// <summary>The factor of x_i.</summary>
    public double StateWeight => Prediction == SolverPrediction.Data ? NextSigma / Sigma : 1;

    /// <summary>The factor of all outputs.</summary>
    public double OutputWeight => Prediction == SolverPrediction.Data ? Length : -NextSigma * Length;

    /// <summary>Where another noise level lies, in units of the step: 0 at its start, 1 at its end, below 0 in the past.</summary>
    /// <param name="sigma">Above 0.</param>
    public double Position(double sigma) => Math.Log(Sigma / sigma) / Length;

    /// <summary>phi_k(z).</summary>
    /// <param name="k">1 to 4.</param>
    public double Phi(int k) => PhiFunctions.Phi(k, Exponent);
}
