using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>The table of costs by stage.</summary>
internal static class LedgerTable
{
    /// <summary>Builds the table with the sum in its last row.</summary>
    public static ReportTable Build(IReadOnlyList<LedgerLineSummary> lines)
    {
        var total = new LedgerLineSummary("all stages", lines.Sum(l => l.NetworkEvaluations), lines.Sum(l => l.TrainingUpdates), lines.Sum(l => l.Seconds));
        return new ReportTable(
            [new("Stage", false), new("Network evaluations", true), new("Training updates", true), new("Time", true)],
            [.. lines.Append(total).Select(l => (IReadOnlyList<ReportCell>)
                [new(PlainText.OneLine(l.Stage)), new(NumberText.Count(l.NetworkEvaluations)), new(NumberText.Count(l.TrainingUpdates)), new(NumberText.Duration(l.Seconds))])]);
    }
}
