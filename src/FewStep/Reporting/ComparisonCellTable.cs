using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>The table of a comparison's cells, shared by the console and the page.</summary>
/// <param name="Table">The table.</param>
/// <param name="Cells">The cells in the order of its rows.</param>
internal sealed record ComparisonCellTable(ReportTable Table, IReadOnlyList<ComparisonCellSummary> Cells)
{
    private sealed record Column(string Header, bool IsNumeric, Func<ComparisonCellSummary, ReportCell> Cell);

    /// <summary>Builds the table, sorted by number and then from the best on.</summary>
    /// <param name="summary">The comparison.</param>
    /// <param name="brief">Whether only what fits a terminal is wanted.</param>
    public static ComparisonCellTable Build(ComparisonSummary summary, bool brief)
    {
        ComparisonCellSummary[] cells = [.. summary.Cells.OrderBy(c => c.Number).ThenBy(Key)];
        Column[] columns = [.. Columns(summary, brief)];
        return new ComparisonCellTable(
            new ReportTable([.. columns.Select(c => new ReportColumn(c.Header, c.IsNumeric))], [.. cells.Select(cell => (IReadOnlyList<ReportCell>)[.. columns.Select(c => c.Cell(cell))])]),
            cells);
    }

    /// <summary>What cells are sorted by: the distance to real images, else that to the teacher's endpoints.</summary>
    public static double Key(ComparisonCellSummary cell) => (cell.Distance ?? cell.Endpoint)?.Mean is double mean && double.IsFinite(mean) ? mean : double.PositiveInfinity;

    /// <summary>A verdict in a few words.</summary>
    public static string Describe(ComparisonVerdict? verdict) => verdict switch
    {
        null => NumberText.Missing,
        { Standing: ComparisonStanding.Best } => "best",
        { HalfWidth: null } => $"{Signed(verdict.Difference)}, not decided",
        { Standing: ComparisonStanding.Undecided } => $"{WithWidth(verdict)}, not decided",
        _ => WithWidth(verdict),
    };

    private static IEnumerable<Column> Columns(ComparisonSummary summary, bool brief)
    {
        bool bySteps = summary.Axis == ComparisonAxis.Steps;
        yield return new("Schedule", false, c => new(PlainText.OneLine(c.ScheduleLabel)));
        yield return new("Solver", false, c => new(PlainText.OneLine(c.Solver)));
        yield return bySteps ? new("Steps", true, c => new(NumberText.Count(c.Steps))) : new("NFE", true, c => new(NumberText.Evaluations(c.EvaluationsPerImage)));
        yield return bySteps ? new("NFE", true, c => new(NumberText.Evaluations(c.EvaluationsPerImage))) : new("Steps", true, c => new(NumberText.Count(c.Steps)));
        if (summary.Metric is { } metric)
        {
            foreach (Column column in Values($"{PlainText.OneLine(metric.ShortName)} ± spread", c => c.Distance, c => c.DistanceVerdict, brief))
            {
                yield return column;
            }
        }

        if (summary.Teacher is not null)
        {
            foreach (Column column in Values("Endpoint RMS ± spread", c => c.Endpoint, c => c.EndpointVerdict, brief))
            {
                yield return column;
            }
        }

        if (!brief)
        {
            yield return new("Time", true, c => new(NumberText.Duration(c.Seconds)));
        }
    }

    // On the page the verdict stands under the value, so that the table fits.
    private static IEnumerable<Column> Values(string header, Func<ComparisonCellSummary, DistanceSummary?> value, Func<ComparisonCellSummary, ComparisonVerdict?> verdict, bool brief)
    {
        yield return new(header, true, c => new(NumberText.WithSpread(value(c)?.Mean, value(c)?.Spread), brief ? null : Describe(verdict(c))));
        if (brief)
        {
            yield return new("Behind the best", false, c => new(Describe(verdict(c))));
        }
    }

    private static string WithWidth(ComparisonVerdict verdict) => verdict.HalfWidth is > 0 ? $"+{NumberText.WithSpread(verdict.Difference, verdict.HalfWidth)}" : Signed(verdict.Difference);

    private static string Signed(double difference) => $"+{NumberText.Significant(difference)}";
}
