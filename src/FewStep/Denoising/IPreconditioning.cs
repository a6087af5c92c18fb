using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Denoising;

/// <summary>How a raw network F becomes a denoiser: D(x; s) = c_skip x + c_out F(c_in x, c_noise) (EDM, eq. 7).</summary>
public interface IPreconditioning
{
    /// <summary>Smallest supported sigma.</summary>
    double SigmaMin { get; }

    /// <summary>Largest supported sigma.</summary>
    double SigmaMax { get; }

    /// <summary>The four coefficients.</summary>
    /// <param name="sigma">Noise levels [B], float32 or float64.</param>
    /// <returns>Tensors [B] of the same type; they belong to the current dispose scope.</returns>
    PreconditioningCoefficients Coefficients(Tensor sigma);
}

/// <summary>Coefficients of a preconditioned network (EDM, table 1), each [B].</summary>
/// <param name="Skip">c_skip, factor of the noised image.</param>
/// <param name="Out">c_out, factor of the network's output.</param>
/// <param name="In">c_in, factor of the network's input.</param>
/// <param name="Noise">c_noise, the noise label that the network is given.</param>
public sealed record PreconditioningCoefficients(Tensor Skip, Tensor Out, Tensor In, Tensor Noise);

/// <summary>Noise levels that can be computed with: their squares must be well within float32, in which networks and solvers compute.</summary>
internal static class SigmaLimits
{
    public const double Smallest = 1e-9;

    public const double Largest = 1e6;

    public static void Check(string kind, double sigmaMin, double sigmaMax)
    {
        if (!(sigmaMin >= Smallest) || !(sigmaMax > sigmaMin) || !(sigmaMax <= Largest))
        {
            throw new InvalidInputException(FormattableString.Invariant(
                $"{kind} preconditioning needs {Smallest} <= sigma_min < sigma_max <= {Largest}, the range that float32 computes with, not {sigmaMin} and {sigmaMax}."));
        }
    }
}
