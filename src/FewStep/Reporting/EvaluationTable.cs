using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>The table of measured combinations, shared by the console and the HTML report.</summary>
internal static class EvaluationTable
{
    private sealed record Column(string Header, bool IsNumeric, bool IsBrief, Func<EvaluationSummary, ReportCell> Cell);

    /// <summary>Builds the table; columns that no row fills are left out.</summary>
    /// <param name="summary">The run.</param>
    /// <param name="brief">Whether only the columns that fit a terminal are wanted.</param>
    public static ReportTable Build(RunSummary summary, bool brief)
    {
        Column[] columns = [.. Columns(summary.Metric, brief).Where(c => c.IsBrief || !brief).Where(c => !c.IsNumeric || summary.Evaluations.Any(e => c.Cell(e).Text != NumberText.Missing))];
        return new ReportTable(
            [.. columns.Select(c => new ReportColumn(c.Header, c.IsNumeric))],
            [.. summary.Evaluations.Select(e => (IReadOnlyList<ReportCell>)[.. columns.Select(c => c.Cell(e))])]);
    }

    private static IEnumerable<Column> Columns(MetricSummary metric, bool brief)
    {
        string name = PlainText.OneLine(metric.ShortName);
        yield return new("Schedule", false, true, e => Text(e.Schedule));
        yield return new("Tuning", false, true, e => Text(e.Tuning));
        yield return new("Solver", false, true, e => Text(e.Solver));
        yield return new("NFE", true, true, e => new(NumberText.Evaluations(e.EvaluationsPerImage)));
        yield return new($"{name} ± spread{(brief ? "" : ", each seed range")}", true, true, e => Distance(e.Distance, withRanges: !brief));
        yield return new("J, power 0", true, true, e => Estimate(e.LossPower0));
        yield return new("J, power 1", true, true, e => Estimate(e.LossPower1));
        yield return new("Images", true, false, e => new(Images(e.Distance)));
    }

    /// <summary>How many images each range has: <c>5 × 2,000</c>.</summary>
    public static string Images(DistanceSummary? distance)
    {
        if (distance is null or { Ranges.Count: 0 })
        {
            return NumberText.Missing;
        }

        int least = distance.Ranges.Min(r => r.Images), most = distance.Ranges.Max(r => r.Images);
        return least == most
            ? $"{NumberText.Count(distance.Ranges.Count)} × {NumberText.Count(least)}"
            : $"{NumberText.Count(distance.Ranges.Count)} × {NumberText.Count(least)} to {NumberText.Count(most)}";
    }

    private static ReportCell Text(string? text) => new(string.IsNullOrWhiteSpace(text) ? NumberText.Missing : PlainText.OneLine(text));

    private static ReportCell Estimate(EstimateSummary? estimate)
    {
        (string value, string? interval) = NumberText.Estimate(estimate?.Value, estimate?.Low, estimate?.High);
        return new(value, interval);
    }

    private static ReportCell Distance(DistanceSummary? distance, bool withRanges) => new(
        NumberText.WithSpread(distance?.Mean, distance?.Spread),
        withRanges && distance is { Ranges.Count: > 1 } ? string.Join("  ", distance.Ranges.Select(r => NumberText.Significant(r.Value))) : null);
}
