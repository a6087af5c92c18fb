namespace FewStep.Interchange;

/// <summary>Noise levels as text without exponents, which some readers take for two numbers.</summary>
internal static class SigmaText
{
    public const int FewestDigits = 3;

    /// <summary>Most significant digits: as many as a double has.</summary>
    public const int MostDigits = 17;

    /// <summary>A number in fixed decimals, e.g. <c>0.000123</c> and <c>80.0</c>: with a decimal point, without idle zeros.</summary>
    /// <param name="digits">Significant digits, <see cref="FewestDigits"/> to <see cref="MostDigits"/>; 9 keep a float32 exactly.</param>
    public static string Fixed(double value, int digits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(digits, FewestDigits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(digits, MostDigits);
        if (value == 0)
            return "0.0";
        string scientific = Math.Abs(value).ToString($"E{digits - 1}", CultureInfo.InvariantCulture); // d.ddddE+xxx
        int mark = scientific.IndexOf('E', StringComparison.Ordinal);
        string figures = scientific[..mark].Replace(".", "", StringComparison.Ordinal).TrimEnd('0');
        // figures before the point
        int whole = int.Parse(scientific.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) + 1;
        string text = whole <= 0
            ? $"0.{new string('0', -whole)}{figures}"
            : figures.Length <= whole ? $"{figures.PadRight(whole, '0')}.0" : $"{figures[..whole]}.{figures[whole..]}";
        return value < 0 ? $"-{text}" : text;
    }

    public static string List(IEnumerable<double> values, int digits) => string.Join(", ", values.Select(v => Fixed(v, digits)));
}
