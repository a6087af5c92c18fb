using System.Globalization;
using FewStep.Platform;

namespace FewStep.Cli.Verbs;

/// <summary>Comma-separated numbers on the command line.</summary>
internal static class NumberList
{
    /// <summary>Parses e.g. <c>3,4,6</c>.</summary>
    /// <param name="text">Positive whole numbers, separated by commas.</param>
    /// <param name="option">The option's name, for the message.</param>
    /// <exception cref="InvalidInputException">Something else.</exception>
    public static IReadOnlyList<int> Steps(string text, string option)
    {
        var numbers = new List<int>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int steps) || steps < 1)
            {
                throw new InvalidInputException($"{option} '{text}' must be one or more numbers of at least 1, separated by commas, e.g. 3,4,6.");
            }

            numbers.Add(steps);
        }

        return [.. numbers.Distinct()];
    }

    /// <summary>Parses e.g. <c>0.25,0.5,1</c>, or <c>none</c>.</summary>
    /// <param name="text">Numbers above 0 up to 1, separated by commas.</param>
    /// <param name="option">The option's name, for the message.</param>
    /// <exception cref="InvalidInputException">Something else.</exception>
    public static IReadOnlyList<double> Fractions(string text, string option)
    {
        var numbers = new List<double>();
        foreach (string part in text == "none" ? [] : text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!double.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double fraction) || fraction is not (> 0 and <= 1))
            {
                throw new InvalidInputException($"{option} '{text}' must be one or more numbers above 0 up to 1, separated by commas, e.g. 0.5,1, or none.");
            }

            numbers.Add(fraction);
        }

        return [.. numbers.Distinct()];
    }
}
