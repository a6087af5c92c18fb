using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Denoising;

/// <summary>Preconditioning of networks trained on the variance-exploding SDE (Song et al. 2011.13456); EDM (2206.00364), table 1, column VE.</summary>
internal sealed class VePreconditioning : IPreconditioning
{
    /// <summary>Creates the preconditioning.</summary>
    /// <param name="sigmaMin">Smallest noise level, default 0.02, at least 1e-9.</param>
    /// <param name="sigmaMax">Largest noise level, default 100, at most 1e6.</param>
    public VePreconditioning(double sigmaMin = 0.02, double sigmaMax = 100)
    {
        SigmaLimits.Check("VE", sigmaMin, sigmaMax);
        (SigmaMin, SigmaMax) = (sigmaMin, sigmaMax);
    }

    public double SigmaMin { get; }

    public double SigmaMax { get; }

    public PreconditioningCoefficients Coefficients(Tensor sigma) => new(ones_like(sigma), sigma.clone(), ones_like(sigma), sigma.Over(2).log());
}
