namespace FewStep.Cli.Verbs;

/// <summary>Comma-separated numbers on the command line.</summary>
internal static class NumberList
{
    public static IReadOnlyList<int> Steps(string text, string option)
    {
        var numbers = new List<int>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int steps) || steps < 1)
            {
                throw new InvalidInputException(
                    $"{option} '{text}' must be one or more numbers of at least 1, separated by commas, e.g. 3,4,6.");
            }

            numbers.Add(steps);
        }

        return [.. numbers.Distinct()];
    }

    public static IReadOnlyList<double> Fractions(string text, string option)
    {
        var numbers = new List<double>();
        foreach (string part in text == "none" ? [] : text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!double.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double fraction)
                || fraction is not (> 0 and <= 1))
            {
                throw new InvalidInputException(
                    $"{option} '{text}' must be one or more numbers above 0 up to 1, separated by commas, e.g. 0.5,1, or none.");
            }

            numbers.Add(fraction);
        }

        return [.. numbers.Distinct()];
    }
}
