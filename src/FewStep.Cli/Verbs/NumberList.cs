using System.Numerics;

namespace FewStep.Cli.Verbs;

/// <summary>Comma-separated numbers on the command line.</summary>
internal static class NumberList
{
    public static IReadOnlyList<int> Steps(string text, string option) =>
        Read<int>(text, NumberStyles.None) is { } numbers && numbers.All(n => n >= 1) ? [.. numbers.Distinct()]
            : throw new InvalidInputException(
                $"{option} '{text}' must be one or more numbers of at least 1, separated by commas, e.g. 3,4,6.");

    public static IReadOnlyList<double> Fractions(string text, string option) =>
        (text == "none" ? [] : Read<double>(text, NumberStyles.AllowDecimalPoint)) is { } numbers
            && numbers.All(n => n is > 0 and <= 1) ? [.. numbers.Distinct()]
            : throw new InvalidInputException(
                $"{option} '{text}' must be one or more numbers above 0 up to 1, separated by commas, e.g. 0.5,1, or none.");

    /// <summary>The numbers; null where a part of the text is none.</summary>
    public static T[]? Read<T>(string text, NumberStyles style = NumberStyles.Float)
        where T : struct, INumber<T>
    {
        T?[] numbers = [.. text.Split(',', StringSplitOptions.TrimEntries)
            .Select(part => T.TryParse(part, style, CultureInfo.InvariantCulture, out T number) && T.IsFinite(number) ? number : (T?)null)];
        return numbers.Contains(null) ? null : [.. numbers.OfType<T>()];
    }
}
