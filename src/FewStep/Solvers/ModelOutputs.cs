using static TorchSharp.torch;

namespace FewStep.Solvers;

/// <summary>The present and the past outputs of the denoiser, newest first, in the form that a solver extrapolates.</summary>
internal static class ModelOutputs
{
    /// <summary>Slopes, or the denoiser's outputs themselves.</summary>
    /// <param name="step">Where the run stands.</param>
    /// <param name="count">How many, the present one among them; at most the history's length and one more.</param>
    /// <param name="prediction">Which form.</param>
    public static Tensor[] Newest(SolverStep step, int count, SolverPrediction prediction)
    {
        var past = step.History.Take(count - 1);
        return prediction == SolverPrediction.Data
            ? [step.Denoised, .. past.Select(p => p.Denoised)]
            : [step.Slope(), .. past.Select(p => p.Slope())];
    }
}
