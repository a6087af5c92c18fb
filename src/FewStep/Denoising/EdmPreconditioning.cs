namespace FewStep.Denoising;

/// <summary>EDM's preconditioning (Karras et al. 2206.00364, table 1): unit variance of the network's input and target at every
/// sigma.</summary>
internal sealed class EdmPreconditioning : IPreconditioning
{
    /// <summary>EDM's noise levels, which schedules run over where no model says otherwise.</summary>
    internal const double UsualMinimum = 0.002, UsualMaximum = 80;

    /// <param name="predictsV">Whether the network gives v, EDM's output with the other sign (diffusers' <c>v_prediction</c> at EDM's
    /// noise labels, as Stable Video Diffusion has it with sigma_data 1).</param>
    public EdmPreconditioning(double sigmaData = 0.5, double sigmaMin = UsualMinimum, double sigmaMax = UsualMaximum,
        double noiseLabelScale = 1, bool predictsV = false)
        : this("EDM", sigmaData, sigmaMin, sigmaMax, noiseLabelScale, 0)
    {
        PredictsV = predictsV;
    }

    private EdmPreconditioning(string kind, double sigmaData, double sigmaMin, double sigmaMax, double noiseLabelScale, double boundary)
    {
        SigmaLimits.Check(kind, sigmaMin, sigmaMax);
        if (!(sigmaData is >= SigmaLimits.Smallest and <= SigmaLimits.Largest))
        {
            throw new InvalidInputException(
                $"{kind} preconditioning needs sigma_data from {SigmaLimits.Smallest} to {SigmaLimits.Largest}, not {sigmaData}.");
        }

        if (!(noiseLabelScale is > 0 and <= SigmaLimits.Largest))
        {
            throw new InvalidInputException(
                $"{kind} preconditioning needs a noise_label_scale above 0 and at most {SigmaLimits.Largest}, not {noiseLabelScale}.");
        }

        (SigmaData, SigmaMin, SigmaMax, NoiseLabelScale, Boundary) = (sigmaData, sigmaMin, sigmaMax, noiseLabelScale, boundary);
    }

    /// <summary>Scalings of a consistency model (Song et al. 2303.01469, appendix C): f(x; sigma_min) = x exactly, the noise label is 1000
    /// log(sigma) / 4.</summary>
    /// <remarks>Such a network jumps to the end of a trajectory in one evaluation; it does not estimate E[x0 | x], so a schedule found with
    /// it means little.</remarks>
    public static EdmPreconditioning Consistency(double sigmaData = 0.5, double sigmaMin = 0.002, double sigmaMax = 80)
        => new("Consistency", sigmaData, sigmaMin, sigmaMax, 1000, sigmaMin);

    public double SigmaMin { get; }
    public double SigmaMax { get; }
    public double SigmaData { get; }
    public double NoiseLabelScale { get; }

    /// <summary>The noise level that nothing is done at.</summary>
    public double Boundary { get; }

    public bool PredictsV { get; }

    public PreconditioningCoefficients Coefficients(Tensor sigma)
    {
        double sd2 = SigmaData * SigmaData;
        var above = sigma.Minus(Boundary);
        var root = (sigma * sigma).Plus(sd2).sqrt();
        double gain = PredictsV ? -SigmaData : SigmaData;
        return new((above * above).Plus(sd2).reciprocal().Times(sd2), above.Times(gain) / root, root.reciprocal(),
            sigma.log().Times(NoiseLabelScale / 4));
    }
}
