using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>A table as text, for page, Markdown, spreadsheet or terminal; nothing in it is escaped for any of them.</summary>
internal sealed record ReportTable(IReadOnlyList<ReportColumn> Columns, IReadOnlyList<ReportRow> Rows)
{
    /// <summary>Whether columns mean as much as rows do, so that rows may not be stacked on a narrow screen.</summary>
    public bool IsMatrix { get; init; }
}

internal sealed record ReportColumn(string Header, bool IsNumeric);

internal sealed record ReportRow(IReadOnlyList<ReportCell> Cells)
{
    /// <summary>Look of the method that the row is about; null for none.</summary>
    public MethodStyle? Style { get; init; }

    public bool IsStrong { get; init; }
}

internal sealed record ReportCell(string Text, string? Detail = null)
{
    public CellMark Mark { get; init; }

    /// <summary>From -1, much better than what it is compared with, to 1, much worse; 0 for neither.</summary>
    public double Shade { get; init; }

    public override string ToString() => Detail is null ? Text : $"{Text} {Detail}";
    public static ReportCell Of(string? text) => new(string.IsNullOrWhiteSpace(text) ? NumberText.Missing : text);
}

/// <summary>How a cell stands out.</summary>
internal enum CellMark
{
    None,
    Best,
    Undecided,
}

/// <summary>A column of a table of trials.</summary>
internal sealed record TrialColumn(string Header, bool IsNumeric, Func<TrialSummary, ReportCell> Cell)
{
    public static ReportTable Table(IReadOnlyList<TrialColumn> columns, IReadOnlyList<TrialSummary> trials, MethodStyles? styles = null)
        => new(
        [.. columns.Select(c => new ReportColumn(c.Header, c.IsNumeric))],
        [.. trials.Select(
            t => new ReportRow([.. columns.Select(c => c.Cell(t))]) { Style = styles?.Of(t), IsStrong = t.Role == TrialRole.Result })]);
}
