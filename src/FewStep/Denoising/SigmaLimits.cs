using FewStep.Platform;

namespace FewStep.Denoising;

/// <summary>Noise levels that can be computed with: their squares must be well within float32, in which networks and solvers compute.</summary>
internal static class SigmaLimits
{
    /// <summary>Smallest noise level.</summary>
    public const double Smallest = 1e-9;

    /// <summary>Largest noise level.</summary>
    public const double Largest = 1e6;

    /// <summary>Refuses levels outside.</summary>
    /// <param name="kind">Kind of the preconditioning, for the message.</param>
    /// <param name="sigmaMin">Smallest noise level.</param>
    /// <param name="sigmaMax">Largest noise level.</param>
    /// <exception cref="InvalidInputException">The levels do not increase, or leave the limits.</exception>
    public static void Check(string kind, double sigmaMin, double sigmaMax)
    {
        if (!(sigmaMin >= Smallest) || !(sigmaMax > sigmaMin) || !(sigmaMax <= Largest))
        {
            throw new InvalidInputException(FormattableString.Invariant(
                $"{kind} preconditioning needs {Smallest} <= sigma_min < sigma_max <= {Largest}, the range that float32 computes with, not {sigmaMin} and {sigmaMax}."));
        }
    }
}
