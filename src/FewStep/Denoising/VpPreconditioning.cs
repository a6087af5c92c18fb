namespace FewStep.Denoising;

/// <summary>Preconditioning of networks trained on the variance-preserving SDE (Song et al. 2011.13456) as noise predictors; EDM
/// (2206.00364), table 1, column VP.</summary>
internal sealed class VpPreconditioning : IPreconditioning
{
    public VpPreconditioning(double betaD = 19.9, double betaMin = 0.1, int timeSteps = 1000, double smallestTime = 1e-5)
    {
        if (!(betaD is > 0 and <= 400) || !(betaMin is >= 0 and <= 400) || timeSteps < 2 || !(smallestTime is >= 1e-9 and < 1))
        {
            throw new InvalidInputException("VP preconditioning needs beta_d in (0, 400], beta_min in [0, 400], M >= 2 and epsilon_t in "
                + $"[1e-9, 1), not {betaD}, {betaMin}, {timeSteps}, {smallestTime}.");
        }

        (Noise, TimeSteps) = (new LinearVpNoise(betaMin, betaD), timeSteps);
        (SigmaMin, SigmaMax) = (Noise.Sigma(smallestTime), Noise.Sigma(1));
        SigmaLimits.Check("VP", SigmaMin, SigmaMax);
    }

    public double SigmaMin { get; }
    public double SigmaMax { get; }
    public LinearVpNoise Noise { get; }
    public int TimeSteps { get; }

    /// <summary>The noise labels as NVlabs/edm computes them, in float32 and by ln(1 + sigma^2): of small levels they keep few
    /// digits.</summary>
    public Tensor RoundedLabels(Tensor sigma)
    {
        var single = sigma.to(ScalarType.Float32);
        var root = (single * single).Plus(1).log().Times(2 * Noise.BetaD).Plus(Noise.BetaMin * Noise.BetaMin).sqrt();
        return root.Minus(Noise.BetaMin).Over(Noise.BetaD).Times(TimeSteps - 1);
    }

    public PreconditioningCoefficients Coefficients(Tensor sigma)
        => new(ones_like(sigma), -sigma, (sigma * sigma).Plus(1).rsqrt(), Noise.Times(sigma).Times(TimeSteps - 1));
}
