using FewStep.Denoising;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>Computes the weights of a <see cref="LevelWeighting"/>.</summary>
internal static class LevelWeights
{
    /// <summary>Weights of levels.</summary>
    /// <param name="weighting">Which.</param>
    /// <param name="sigma">s_i, float64.</param>
    /// <param name="next">s_(i+1), of the same shape; 0 after the last level of a schedule whose terminal rule is zero.</param>
    /// <param name="last">s_N.</param>
    /// <param name="preconditioning">Gives c_out.</param>
    /// <returns>float32 of the shape of <paramref name="sigma"/>; belongs to the current dispose scope.</returns>
    public static Tensor For(LevelWeighting weighting, Tensor sigma, Tensor next, double last, IPreconditioning preconditioning)
    {
        var weights = weighting switch
        {
            LevelWeighting.NetworkOutput => preconditioning.Coefficients(sigma.view(-1)).Out.Squared().reciprocal().view(sigma.shape),
            LevelWeighting.StateError => (next / sigma).negative().Plus(1).Squared(),
            LevelWeighting.Uniform => ones_like(sigma),
            LevelWeighting.ConvexCombination => (next.reciprocal() - sigma.reciprocal()).Times(last),
            _ => throw new ArgumentOutOfRangeException(nameof(weighting), weighting, null),
        };
        return weights.to(ScalarType.Float32);
    }
}
