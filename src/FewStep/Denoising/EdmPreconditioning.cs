using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Denoising;

/// <summary>EDM's preconditioning (Karras et al. 2206.00364, table 1): unit variance of the network's input and target at every sigma.</summary>
public sealed class EdmPreconditioning : IPreconditioning
{
    /// <summary>EDM's noise levels, which schedules run over where no model says otherwise.</summary>
    internal const double UsualMinimum = 0.002, UsualMaximum = 80;

    /// <summary>Creates the preconditioning.</summary>
    /// <param name="sigmaData">Standard deviation of the data, default 0.5, 1e-9 to 1e6.</param>
    /// <param name="sigmaMin">Smallest noise level, default 0.002, at least 1e-9.</param>
    /// <param name="sigmaMax">Largest noise level, default 80, at most 1e6.</param>
    /// <param name="noiseLabelScale">Factor of c_noise, default 1; openai/consistency_models' networks of this kind were trained with 1000. Above 0, at most 1e6.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public EdmPreconditioning(double sigmaData = 0.5, double sigmaMin = UsualMinimum, double sigmaMax = UsualMaximum, double noiseLabelScale = 1)
    {
        SigmaLimits.Check("EDM", sigmaMin, sigmaMax);
        if (!(sigmaData is >= SigmaLimits.Smallest and <= SigmaLimits.Largest))
        {
            throw new InvalidInputException(FormattableString.Invariant($"EDM preconditioning needs sigma_data from {SigmaLimits.Smallest} to {SigmaLimits.Largest}, not {sigmaData}."));
        }

        if (!(noiseLabelScale is > 0 and <= SigmaLimits.Largest))
        {
            throw new InvalidInputException(FormattableString.Invariant($"EDM preconditioning needs a noise_label_scale above 0 and at most {SigmaLimits.Largest}, not {noiseLabelScale}."));
        }

        (SigmaData, SigmaMin, SigmaMax, NoiseLabelScale) = (sigmaData, sigmaMin, sigmaMax, noiseLabelScale);
    }

    /// <summary>Standard deviation of the data.</summary>
    public double SigmaData { get; }

    /// <summary>Factor of c_noise.</summary>
    public double NoiseLabelScale { get; }

    /// <inheritdoc/>
    public double SigmaMin { get; }

    /// <inheritdoc/>
    public double SigmaMax { get; }

    /// <inheritdoc/>
    public PreconditioningCoefficients Coefficients(Tensor sigma)
    {
        double sd2 = SigmaData * SigmaData;
        var total = (sigma * sigma).Plus(sd2);
        var root = total.sqrt();
        return new(total.reciprocal().Times(sd2), sigma.Times(SigmaData) / root, root.reciprocal(), sigma.log().Times(NoiseLabelScale / 4));
    }
}
