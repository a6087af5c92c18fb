using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>The training loss of variance-exploding models (Song et al. 2011.13456; EDM, 2206.00364, table 1, column VE): log-uniform sigma, weight 1 / s^2.</summary>
/// <param name="SigmaMin">Smallest noise level; default 0.02.</param>
/// <param name="SigmaMax">Largest noise level; default 100.</param>
public sealed record VeLoss(double SigmaMin = 0.02, double SigmaMax = 100) : TrainingLoss
{
    /// <inheritdoc/>
    public override Tensor DrawSigma(long batch, Generator generator) => rand([batch], generator: generator).Times(Math.Log(SigmaMax / SigmaMin)).exp().Times(SigmaMin);

    /// <inheritdoc/>
    public override Tensor Weight(Tensor sigma) => sigma.Squared().reciprocal();
}
