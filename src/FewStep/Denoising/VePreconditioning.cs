namespace FewStep.Denoising;

/// <summary>Preconditioning of networks trained on the variance-exploding SDE (Song et al. 2011.13456); EDM (2206.00364), table 1, column
/// VE.</summary>
internal sealed class VePreconditioning : IPreconditioning
{
    public VePreconditioning(double sigmaMin = 0.02, double sigmaMax = 100)
    {
        SigmaLimits.Check("VE", sigmaMin, sigmaMax);
        (SigmaMin, SigmaMax) = (sigmaMin, sigmaMax);
    }

    public double SigmaMin { get; }
    public double SigmaMax { get; }

    public PreconditioningCoefficients Coefficients(Tensor sigma)
        => new(ones_like(sigma), sigma.clone(), ones_like(sigma), sigma.Over(2).log());
}
