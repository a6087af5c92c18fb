namespace FewStep.Tests.Reporting;

/// <summary>Number formats of three cultures, made by hand: the program runs without culture data.</summary>
internal static class Cultures
{
    public static IReadOnlyList<CultureInfo> All { get; } = [Make(".", ",", "-"), Make(",", ".", "-"), Make("٫", "٬", "\u200e-")];

    public static T In<T>(CultureInfo culture, Func<T> work)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = culture;
            return work();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static CultureInfo Make(string point, string group, string minus)
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator,
            culture.NumberFormat.NegativeSign) = (point, group, minus);
        culture.DateTimeFormat.DateSeparator = ".";
        culture.DateTimeFormat.TimeSeparator = ".";
        return culture;
    }
}
