using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>A column of a table of trials.</summary>
internal sealed record TrialColumn(string Header, bool IsNumeric, Func<TrialSummary, ReportCell> Cell)
{
    public static ReportTable Table(IReadOnlyList<TrialColumn> columns, IReadOnlyList<TrialSummary> trials, MethodStyles? styles = null)
        => new(
        [.. columns.Select(c => new ReportColumn(c.Header, c.IsNumeric))],
        [.. trials.Select(
            t => new ReportRow([.. columns.Select(c => c.Cell(t))]) { Style = styles?.Of(t), IsStrong = t.Role == TrialRole.Result })]);
}
