namespace FewStep.Solvers;

/// <summary>
/// A step in lambda = -ln sigma, in which the linear part of the ODE is integrated exactly: x_(i+1) = StateWeight x_i + OutputWeight sum_k
/// phi_k(Exponent) times the derivatives of the output, scaled by powers of the step (Lu et al. 2022, DPM-Solver, equation 3.4, and
/// DPM-Solver++, equation 8, with alpha = 1).
/// </summary>
internal readonly record struct ExponentialStep(double Sigma, double NextSigma, SolverPrediction Prediction)
{
    /// <summary>h, the length in lambda, above 0.</summary>
    public double Length => Math.Log(Sigma / NextSigma);

    /// <summary>z, the argument of the phi functions: -h for data prediction, h for noise prediction.</summary>
    public double Exponent => Prediction == SolverPrediction.Data ? -Length : Length;

    public double StateWeight => Prediction == SolverPrediction.Data ? NextSigma / Sigma : 1;
    public double OutputWeight => Prediction == SolverPrediction.Data ? Length : -NextSigma * Length;

    /// <summary>Where another noise level lies, in units of the step: 0 at its start, 1 at its end, below 0 in the past.</summary>
    public double Position(double sigma) => Math.Log(Sigma / sigma) / Length;

    public double Phi(int k) => PhiFunctions.Phi(k, Exponent);
}

/// <summary>The present and the past outputs of the denoiser, newest first, in the form that a solver extrapolates.</summary>
internal static class ModelOutputs
{
    public static Tensor[] Newest(SolverStep step, int count, SolverPrediction prediction)
    {
        var past = step.History.Take(count - 1);
        return prediction == SolverPrediction.Data
            ? [step.Denoised, .. past.Select(p => p.Denoised)]
            : [step.Slope(), .. past.Select(p => p.Slope())];
    }
}

/// <summary>What every multistep solver ends in: a weighted sum of the state and of outputs, one operation a term.</summary>
internal static class WeightedSum
{
    /// <summary>a x + scale sum_j w_j m_j.</summary>
    public static Tensor Of(double stateWeight, Tensor state, double scale, ReadOnlySpan<double> weights, IReadOnlyList<Tensor> outputs)
    {
        var sum = state.Times(stateWeight);
        for (int j = 0; j < weights.Length; j++)
            sum.Plus_(outputs[j], alpha: scale * weights[j]);
        return sum;
    }
}
