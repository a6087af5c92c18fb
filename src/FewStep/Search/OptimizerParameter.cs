using System.Globalization;
using FewStep.Platform;

namespace FewStep.Search;

/// <summary>Reads the number after an optimiser's colon.</summary>
internal static class OptimizerParameter
{
    /// <summary>Reads a number.</summary>
    /// <param name="optimizer">Name of the optimiser.</param>
    /// <param name="what">What the number is.</param>
    /// <param name="text">What followed the colon.</param>
    /// <param name="lowest">Least value allowed.</param>
    /// <param name="highest">Largest value allowed.</param>
    /// <exception cref="InvalidInputException">It is no number, or out of range.</exception>
    public static double Number(string optimizer, string what, string text, double lowest, double highest)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= lowest && value <= highest)
        {
            return value;
        }

        throw new InvalidInputException(string.Create(
            CultureInfo.InvariantCulture,
            $"Schedule optimiser '{optimizer}:{Printable.Line(text, 40)}': what follows the colon must be the {what}, a number from {lowest} to {highest}."));
    }
}
