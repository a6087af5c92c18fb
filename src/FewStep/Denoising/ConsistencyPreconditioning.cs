using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Denoising;

/// <summary>Scalings of a consistency model (Song et al. 2303.01469, appendix C): f(x; sigma_min) = x exactly, the noise label is 1000 log(sigma) / 4.</summary>
/// <remarks>Such a network jumps to the end of a trajectory in one evaluation; it does not estimate E[x0 | x], so a schedule found with it means little.</remarks>
public sealed class ConsistencyPreconditioning : IPreconditioning
{
    private const double NoiseLabelScale = 1000;

    /// <summary>Creates the preconditioning.</summary>
    /// <param name="sigmaData">Standard deviation of the data, default 0.5, 1e-9 to 1e6.</param>
    /// <param name="sigmaMin">Smallest noise level, where the network has no say; default 0.002, at least 1e-9.</param>
    /// <param name="sigmaMax">Largest noise level, default 80, at most 1e6.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public ConsistencyPreconditioning(double sigmaData = 0.5, double sigmaMin = 0.002, double sigmaMax = 80)
    {
        SigmaLimits.Check("Consistency", sigmaMin, sigmaMax);
        if (!(sigmaData is >= SigmaLimits.Smallest and <= SigmaLimits.Largest))
        {
            throw new InvalidInputException(FormattableString.Invariant($"Consistency preconditioning needs sigma_data from {SigmaLimits.Smallest} to {SigmaLimits.Largest}, not {sigmaData}."));
        }

        (SigmaData, SigmaMin, SigmaMax) = (sigmaData, sigmaMin, sigmaMax);
    }

    /// <summary>Standard deviation of the data.</summary>
    public double SigmaData { get; }

    /// <inheritdoc/>
    public double SigmaMin { get; }

    /// <inheritdoc/>
    public double SigmaMax { get; }

    /// <inheritdoc/>
    public PreconditioningCoefficients Coefficients(Tensor sigma)
    {
        double sd2 = SigmaData * SigmaData;
        var above = sigma.Minus(SigmaMin);
        var root = (sigma * sigma).Plus(sd2).sqrt();
        return new((above * above).Plus(sd2).reciprocal().Times(sd2), above.Times(SigmaData) / root, root.reciprocal(), sigma.log().Times(NoiseLabelScale / 4));
    }
}
