namespace FewStep.Search;

/// <summary>Reads the number after an optimiser's colon.</summary>
internal static class OptimizerParameter
{
    public static double Number(string optimizer, string what, string text, double lowest, double highest)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= lowest
            && value <= highest)
        {
            return value;
        }

        throw new InvalidInputException(
            $"Schedule optimiser '{optimizer}:{Printable.Line(text, 40)}': what follows the colon must be the {what}, a number from "
                + $"{lowest} to {highest}.");
    }
}
