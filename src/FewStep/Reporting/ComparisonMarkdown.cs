using System.Text;
using FewStep.Experiments;
using FewStep.Platform;
using static FewStep.Reporting.MarkdownText;

namespace FewStep.Reporting;

/// <summary>A comparison as a Markdown page, for documentation that is kept with the code: a table of solvers and schedules for each number and metric, and what the searches cost.</summary>
public static class ComparisonMarkdown
{
    /// <summary>Name of the file.</summary>
    public const string Name = "compare.md";

    /// <summary>Writes <see cref="Name"/> into a folder, whole or not at all.</summary>
    /// <param name="summary">The comparison.</param>
    /// <param name="folder">The folder.</param>
    /// <exception cref="InvalidInputException">The file cannot be written.</exception>
    public static void Write(ComparisonSummary summary, string folder) => AtomicFile.WriteText(Path.Combine(folder, Name), Render(summary));

    /// <summary>The page.</summary>
    /// <param name="summary">The comparison.</param>
    public static string Render(ComparisonSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        var page = new StringBuilder();
        void Paragraph(string text) => page.Append(text).Append("\n\n");
        Paragraph($"# {Inline(summary.Title)}");
        Paragraph(string.Join("\n", ComparisonTables.Sentences(summary).Concat(summary.Warnings).Select(s => $"- {Inline(s)}")));
        Paragraph("Mean ± standard deviation over the seed ranges. **Bold**: the least; *italic*: the seed ranges do not tell it from the least. A schedule that looks at the solver was searched for the one in its row.");
        if (summary.Metric is { } metric)
        {
            Grids(page, summary, Inline(metric.ShortName), c => c.Distance, c => c.DistanceVerdict);
        }

        if (summary.Teacher is not null)
        {
            Grids(page, summary, "Endpoint RMS", c => c.Endpoint, c => c.EndpointVerdict);
        }

        if (summary.Searches.Count > 0)
        {
            Paragraph("## Searches");
            AddTable(page, ComparisonTables.Searches(summary));
            page.Append('\n');
        }

        page.Append(FormattableString.Invariant($"Made by `{Inline(summary.Manifest.CommandLine ?? "the library")}` with version {Inline(summary.Manifest.Version)}, model `{summary.Model.Hash?[..12]}`, seed {summary.Manifest.Seed}.\n"));
        return page.ToString();
    }

    private static void Grids(StringBuilder page, ComparisonSummary summary, string metric, Func<ComparisonCellSummary, DistanceSummary?> value, Func<ComparisonCellSummary, ComparisonVerdict?> verdict)
    {
        foreach (int number in summary.Numbers)
        {
            page.Append(FormattableString.Invariant($"## {metric}, {number} {(summary.Axis == ComparisonAxis.Evaluations ? "evaluations" : "steps")}\n\n"));
            AddTable(page, Grid([.. summary.Cells.Where(c => c.Number == number && !c.IsTransfer)], value, verdict));
            page.Append('\n');
        }
    }

    private static ReportTable Grid(ComparisonCellSummary[] cells, Func<ComparisonCellSummary, DistanceSummary?> value, Func<ComparisonCellSummary, ComparisonVerdict?> verdict)
    {
        string[] schedules = [.. cells.Select(c => c.Schedule).Distinct()], solvers = [.. cells.Select(c => c.Solver).Distinct()];
        ReportCell Cell(string solver, string schedule) =>
            cells.FirstOrDefault(c => c.Solver == solver && c.Schedule == schedule) is { } cell && value(cell) is { } distance
                ? new(Mark(NumberText.WithSpread(distance.Mean, distance.Spread), verdict(cell)?.Standing))
                : new(NumberText.Missing);
        return new(
            [new("solver", false), .. schedules.Select(s => new ReportColumn(PlainText.OneLine(s), true))],
            [.. solvers.Select(solver => (IReadOnlyList<ReportCell>)[new(PlainText.OneLine(solver)), .. schedules.Select(schedule => Cell(solver, schedule))])]);
    }

    private static string Mark(string text, ComparisonStanding? standing) => standing switch
    {
        ComparisonStanding.Best => $"**{text}**",
        ComparisonStanding.Undecided => $"*{text}*",
        _ => text,
    };
}
