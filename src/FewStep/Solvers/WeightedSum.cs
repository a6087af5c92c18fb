using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Solvers;

/// <summary>What every multistep solver ends in: a weighted sum of the state and of outputs, one operation a term.</summary>
internal static class WeightedSum
{
    /// <summary>a x + scale sum_j w_j m_j.</summary>
    /// <param name="stateWeight">a.</param>
    /// <param name="state">x.</param>
    /// <param name="scale">Multiplies all weights.</param>
    /// <param name="weights">w_j.</param>
    /// <param name="outputs">m_j, at least as many.</param>
    /// <returns>A new tensor.</returns>
    public static Tensor Of(double stateWeight, Tensor state, double scale, ReadOnlySpan<double> weights, IReadOnlyList<Tensor> outputs)
    {
        var sum = state.Times(stateWeight);
        for (int j = 0; j < weights.Length; j++)
        {
            sum.Plus_(outputs[j], alpha: scale * weights[j]);
        }

        return sum;
    }
}
