using System.Numerics;

namespace FewStep.Cli.Verbs;

/// <summary>One number on the command line: with a decimal point, without separators of thousands, finite.</summary>
/// <remarks>The library of command lines takes a decimal comma for a separator of thousands and reads 1,5 as 15.</remarks>
internal static class NumberOption
{
    private const string Separators = ".,'’_ \u00a0\u202f";

    /// <summary>What reads the values of an option, where they are int, long or double, or one of those or null; else null.</summary>
    public static Func<string, T>? Parser<T>(string option) => (Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T)) switch
    {
        var type when type == typeof(int) => text => (T)(object)Whole(option, text, int.MaxValue),
        var type when type == typeof(long) => text => (T)(object)Whole(option, text, long.MaxValue),
        var type when type == typeof(double) => text => (T)(object)Real(option, text),
        _ => null,
    };

    private static double Real(string option, string text)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
        {
            return double.IsFinite(number) ? number
                : throw new InvalidInputException($"{option} '{Printable.Line(text, 40)}' must be a finite number.");
        }

        throw new InvalidInputException($"{option} '{Printable.Line(text, 40)}' must be a number"
            + $"{(WithPoint(text) is { } plain ? $" with a decimal point and without separators of thousands: {plain}" : "")}.");
    }

    private static T Whole<T>(string option, string text, T largest)
        where T : struct, INumber<T>
    {
        if (T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T number))
            return number;
        throw new InvalidInputException(InvariantText.Of($"{option} '{Printable.Line(text, 40)}' must be a whole number "
            + $"{(WithoutThousands(text) is { } plain ? $"without separators of thousands: {plain}" : $"up to {largest}")}."));
    }

    // 1,5 is 1.5; 1.234,5 is 1234.5; 1,234,567 is 1234567. Null for what is no number however it is written.
    private static string? WithPoint(string text)
    {
        string digits = text.Trim();
        int last = digits.LastIndexOfAny(['.', ',']);
        bool isDecimal = last >= 0 && digits.Count(c => c == digits[last]) == 1;
        string plain = isDecimal ? $"{Without(digits[..last])}.{Without(digits[(last + 1)..])}" : Without(digits);
        return double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
            ? plain : null;
    }

    // Groups of three, the first of one to three.
    private static string? WithoutThousands(string text)
    {
        string[] groups = text.Trim().TrimStart('-').Split([.. Separators]);
        return groups.Length > 1 && groups[0].Length is >= 1 and <= 3 && groups.Skip(1).All(g => g.Length == 3)
            && groups.All(g => g.All(char.IsAsciiDigit)) ? Without(text.Trim()) : null;
    }

    private static string Without(string text) => string.Concat(text.Where(c => !Separators.Contains(c, StringComparison.Ordinal)));
}
