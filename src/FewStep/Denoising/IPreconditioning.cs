namespace FewStep.Denoising;

/// <summary>How a raw network F becomes a denoiser: D(x; s) = c_skip x + c_out F(c_in x, c_noise) (EDM, eq. 7).</summary>
internal interface IPreconditioning
{
    double SigmaMin { get; }
    double SigmaMax { get; }

    /// <param name="sigma">Noise levels [B], float32 or float64.</param>
    /// <returns>Tensors [B] of the same type; they belong to the current dispose scope.</returns>
    PreconditioningCoefficients Coefficients(Tensor sigma);
}

/// <summary>Coefficients of a preconditioned network (EDM, table 1), each [B].</summary>
internal sealed record PreconditioningCoefficients(Tensor Skip, Tensor Out, Tensor In, Tensor Noise);

/// <summary>Noise levels that can be computed with: their squares must be well within float32, in which networks and solvers
/// compute.</summary>
internal static class SigmaLimits
{
    public const double Smallest = 1e-9;
    public const double Largest = 1e6;

    public static void Check(string kind, double sigmaMin, double sigmaMax)
    {
        if (!(sigmaMin >= Smallest) || !(sigmaMax > sigmaMin) || !(sigmaMax <= Largest))
        {
            throw new InvalidInputException(
                $"{kind} preconditioning needs {Smallest} <= sigma_min < sigma_max <= {Largest}, the range that float32 computes with, not "
                    + $"{sigmaMin} and {sigmaMax}.");
        }
    }
}
