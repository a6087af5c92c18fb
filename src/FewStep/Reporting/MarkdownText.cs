using System.Text;

namespace FewStep.Reporting;

/// <summary>Text and tables in Markdown.</summary>
internal static class MarkdownText
{
    /// <summary>A table; cells may hold Markdown of their own.</summary>
    /// <param name="page">Receives it.</param>
    /// <param name="table">The table.</param>
    public static void AddTable(StringBuilder page, ReportTable table)
    {
        page.Append("| ").AppendJoin(" | ", table.Columns.Select(c => Cell(c.Header))).Append(" |\n");
        page.Append('|').AppendJoin('|', table.Columns.Select(c => c.IsNumeric ? "---:" : "---")).Append("|\n");
        foreach (var row in table.Rows)
        {
            page.Append("| ").AppendJoin(" | ", row.Select(c => Cell(c.ToString()))).Append(" |\n");
        }
    }

    /// <summary>Text on one line. Names come from files: nothing in them may become HTML or break a line.</summary>
    /// <param name="text">The text.</param>
    public static string Inline(string text) => text.ReplaceLineEndings(" ").Replace("`", "'", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);

    private static string Cell(string text) => Inline(text).Replace("|", "\\|", StringComparison.Ordinal);
}
