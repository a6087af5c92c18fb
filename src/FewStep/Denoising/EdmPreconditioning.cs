using FewStep.Runtime;
using static TorchSharp.torch;

namespace FewStep.Denoising;

/// <summary>EDM's preconditioning (Karras et al. 2206.00364, table 1): unit variance of the network's input and target at every sigma.</summary>
public sealed class EdmPreconditioning : IPreconditioning
{
    /// <summary>Creates the preconditioning.</summary>
    /// <param name="sigmaData">Standard deviation of the data, default 0.5, above 0.</param>
    /// <param name="sigmaMin">Smallest noise level, default 0.002, above 0.</param>
    /// <param name="sigmaMax">Largest noise level, default 80.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public EdmPreconditioning(double sigmaData = 0.5, double sigmaMin = 0.002, double sigmaMax = 80)
    {
        if (!(sigmaData > 0) || !double.IsFinite(sigmaData) || !(sigmaMin > 0) || !(sigmaMax > sigmaMin) || !double.IsFinite(sigmaMax))
        {
            throw new InvalidInputException($"EDM preconditioning needs sigma_data > 0 and 0 < sigma_min < sigma_max, not {sigmaData}, {sigmaMin}, {sigmaMax}.");
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
        var total = sigma * sigma + sd2;
        var root = total.sqrt();
        return new(sd2 / total, sigma * SigmaData / root, 1 / root, sigma.log() / 4);
    }
}
