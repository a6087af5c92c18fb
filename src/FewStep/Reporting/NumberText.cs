namespace FewStep.Reporting;

/// <summary>Numbers as text for people, the same under every culture, with as many digits as they deserve.</summary>
internal static class NumberText
{
    public const string Missing = "–";

    // Numbers that need more are written with an exponent.
    private const int MostDecimals = 7;

    /// <summary>A number with about <paramref name="digits"/> significant digits; whole above that, with an exponent far from 1.</summary>
    public static string Significant(double? value, int digits = 3)
    {
        if (value is not { } v || double.IsNaN(v))
            return Missing;
        if (double.IsInfinity(v))
            return v > 0 ? "∞" : "-∞";
        if (v == 0)
            return "0";
        int exponent = Exponent(v);
        return exponent is < -3 or > 5
            ? v.ToString("0." + new string('#', digits - 1) + "e0", CultureInfo.InvariantCulture)
            : Fixed(v, Math.Max(0, digits - 1 - exponent));
    }

    public static string Signed(double value) => $"{(value > 0 ? "+" : "")}{Significant(value)}".Replace('-', '\u2212');

    /// <summary>A difference with its sign, and the half-width of its interval where it is known.</summary>
    public static string SignedWithSpread(double value, double? spread)
        => $"{(value > 0 ? "+" : "")}{WithSpread(value, spread)}".Replace('-', '\u2212');

    public static string Sigma(double sigma, int digits = 3)
    {
        string text = Significant(sigma, digits);
        return text.Contains('.', StringComparison.Ordinal)
            && !text.Contains('e', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;
    }

    /// <summary>Mean and spread, both to the spread's second significant digit: <c>5.40 ± 0.12</c>.</summary>
    public static string WithSpread(double? mean, double? spread)
    {
        if (mean is not { } m || !double.IsFinite(m) || spread is not { } s || !double.IsFinite(s) || s <= 0)
            return Significant(mean);
        int decimals = Decimals(m, s);
        return decimals > MostDecimals ? $"{Significant(m, 2)} ± {Significant(s, 2)}" : $"{Fixed(m, decimals)} ± {Fixed(s, decimals)}";
    }

    /// <summary>Mean and spread apart; the spread is null where it is unknown.</summary>
    public static (string Mean, string? Spread) Parts(string withSpread)
        => withSpread.Split(' ', 2) is [var mean, var spread] ? (mean, spread) : (withSpread, null);

    /// <summary>An estimate to the second digit of its interval's half width, and the interval in brackets (null where unknown).</summary>
    public static (string Value, string? Interval) Estimate(double? value, double? low, double? high)
    {
        if (value is not { } v || !double.IsFinite(v) || low is not { } l || high is not { } h || !double.IsFinite(l) || !double.IsFinite(h)
            || h <= l)
        {
            return (Significant(value), null);
        }

        int decimals = Decimals(v, (h - l) / 2);
        return decimals > MostDecimals
            ? (Significant(v), $"[{Significant(l)}, {Significant(h)}]")
            : (Fixed(v, decimals), $"[{Fixed(l, decimals)}, {Fixed(h, decimals)}]");
    }

    /// <summary>A whole number with thousands separated by commas.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Evaluations an image: whole where they are whole.</summary>
    public static string Evaluations(double evaluations) =>
        double.IsInteger(evaluations) && Math.Abs(evaluations) < 1e9 ? Count((long)evaluations) : Significant(evaluations);

    public static string Percent(double ratio) => (ratio * 100) switch
    {
        var p when !double.IsFinite(p) => Missing,
        var p when Math.Abs(p) >= 10 => $"{Fixed(p, 0)} %",
        var p => $"{Fixed(p, 1)} %",
    };

    /// <summary>A duration for people: <c>0.42 s</c>, <c>12.3 s</c>, <c>4 min 05 s</c>, <c>1 h 02 min</c>.</summary>
    public static string Duration(double seconds)
    {
        if (!double.IsFinite(seconds) || seconds < 0 || seconds > 1e9)
            return Missing;
        if (seconds < 59.95)
            return $"{Significant(seconds, seconds < 1 ? 2 : 3)} s";
        long whole = (long)Math.Round(seconds);
        return whole < 3600
            ? string.Create(CultureInfo.InvariantCulture, $"{whole / 60} min {whole % 60:00} s")
            : string.Create(CultureInfo.InvariantCulture, $"{whole / 3600} h {whole % 3600 / 60:00} min");
    }

    /// <summary>A number with a fixed number of decimals and thousands separated by commas, never a negative zero.</summary>
    public static string Fixed(double value, int decimals)
    {
        string text = value.ToString("N" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return text.StartsWith('-') && text.AsSpan().IndexOfAnyInRange('1', '9') < 0 ? text[1..] : text;
    }

    // Two digits of the uncertainty, but never fewer than the value needs to be told from zero, nor more than five digits of it.
    private static int Decimals(double value, double uncertainty)
    {
        int size = value == 0 ? 0 : Exponent(value);
        return Math.Clamp(1 - Exponent(uncertainty), Math.Max(0, -size), Math.Max(0, 4 - size));
    }

    private static int Exponent(double value) => (int)Math.Floor(Math.Log10(Math.Abs(value)));
}
