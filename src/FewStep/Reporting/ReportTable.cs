namespace FewStep.Reporting;

/// <summary>A table as text, for whoever prints it.</summary>
/// <param name="Columns">The columns.</param>
/// <param name="Rows">Cells, as many a row as there are columns.</param>
public sealed record ReportTable(IReadOnlyList<ReportColumn> Columns, IReadOnlyList<IReadOnlyList<ReportCell>> Rows);

/// <summary>A column.</summary>
/// <param name="Header">Its header.</param>
/// <param name="IsNumeric">Whether its cells are aligned to the right.</param>
public sealed record ReportColumn(string Header, bool IsNumeric);

/// <summary>A cell: one line of text without control characters, neither markup nor escaped for any.</summary>
/// <param name="Text">What it says; never empty.</param>
/// <param name="Detail">A second, lesser part such as a confidence interval; null where there is none.</param>
public sealed record ReportCell(string Text, string? Detail = null)
{
    /// <summary>Text and detail on one line.</summary>
    public override string ToString() => Detail is null ? Text : $"{Text} {Detail}";
}
