using System.Xml.Linq;
using FewStep.Noise;
using FewStep.Reporting.Charts;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>The schedules at the number that the pictures are about.</summary>
internal static class ComparisonSchedulesSection
{
    public static XElement? Build(ComparisonSummary summary, ComparisonStyles styles)
    {
        // One line for each schedule as such, whatever solver used it.
        var shown = summary.Cells.Where(c => c.Number == summary.ShownNumber && !c.IsTransfer).DistinctBy(c => (c.Schedule, c.FoundFor, c.Steps)).ToList();
        ChartRow[] rows = [.. shown.Where(c => c.Sigmas.All(s => s > 0 && double.IsFinite(s))).Select(c => Row(c, styles))];
        return rows.Length == 0
            ? null
            : Element.Section(
                "schedules",
                $"Schedules at {NumberText.Count(summary.ShownNumber)} {(summary.Axis == ComparisonAxis.Evaluations ? "evaluations" : "steps")}",
                Figure.Build(
                    size => new RowChart(rows, size).Draw("schedules", "Noise levels of each schedule", "noise level σ (log scale)"),
                    "Sampling runs from right to left; each point is a noise level. Grey: standard schedules, which know nothing of the model."));
    }

    private static ChartRow Row(ComparisonCellSummary cell, ComparisonStyles styles)
    {
        string name = cell.FoundFor is null ? cell.Schedule : $"{cell.Schedule} of {cell.FoundFor}";
        return new ChartRow(
            name,
            styles.Schedule(cell.Schedule).Points,
            [.. cell.Sigmas.Select((s, i) => new ChartRowPoint(s, $"{name}: σ[{i}] = {NumberText.Sigma(s, 5)}", cell.Source == ScheduleSource.Standard ? "" : NumberText.Sigma(s)))])
        {
            Joined = true,
            ToZero = cell.Terminal == ScheduleTerminal.Zero,
            Note = cell.Steps == 1 ? "1 step" : $"{NumberText.Count(cell.Steps)} steps",
        };
    }
}
