using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>What is said of figures and verdicts, the same in tables, sentences and labels.</summary>
internal static class FigureText
{
    /// <summary>Short name with the direction of what is better.</summary>
    public static string Header(FigureSummary figure) => $"{figure.ShortName} {(figure.HigherIsBetter ? "↑" : "↓")}";

    /// <summary>Mean and spread; of a single range the deviation within the set where the metric has one.</summary>
    public static string Value(TrialSummary trial, FigureSummary figure)
    {
        FigureValues? values = trial.Figures.GetValueOrDefault(figure.Key);
        return NumberText.WithSpread(values?.Mean, values?.Spread ?? values?.InnerDeviation);
    }

    /// <summary>The difference to the best; null where there is no verdict.</summary>
    public static string? Difference(Verdict? verdict) => verdict switch
    {
        null => null,
        { Standing: Standing.Best } => "best",
        _ => NumberText.SignedWithSpread(verdict.Difference, verdict.HalfWidth),
    };

    public static CellMark Mark(Verdict? verdict) => verdict?.Standing switch
    {
        Standing.Best => CellMark.Best,
        Standing.Undecided => CellMark.Undecided,
        _ => CellMark.None,
    };

    /// <summary>What real images differ by; null where it was not measured.</summary>
    public static string? Floor(FigureSummary figure)
    {
        if (figure.Floor is not double floor || !double.IsFinite(floor))
            return null;
        string subsets =
            figure.FloorSubsets > 1 ? $", mean and standard deviation over {NumberText.Count(figure.FloorSubsets)} disjoint subsets" : "";
        string images = figure.FloorImages > 0 ? $" at {NumberText.Count(figure.FloorImages)} images" : "";
        return $"Floor: real images against the real images of the reference have {figure.ShortName} "
            + $"{NumberText.WithSpread(floor, figure.FloorSpread)}{images}{subsets}.";
    }
}
