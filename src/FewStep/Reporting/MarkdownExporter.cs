using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>The page's words and tables in Markdown, for documentation that is kept with the code.</summary>
internal static class MarkdownExporter
{
    private const int MostListed = 12;

    public static string Render(Summary summary)
    {
        var text = new StringBuilder($"# {Inline(summary.Title)}\n");
        foreach ((ReportSection section, IReadOnlyList<ReportBlock> blocks) in ReportSections.Filled(new ReportPage(summary)))
        {
            string[] parts = [.. blocks.Select(Of).OfType<string>()];
            if (parts.Length > 0)
                text.Append("\n## ").Append(Inline(section.Heading)).Append('\n').AppendJoin("", parts.Select(p => $"\n{p}\n"));
        }

        return text.ToString();
    }

    private static string? Of(ReportBlock block) => block switch
    {
        TextBlock t => Inline(t.Text),
        HeadingBlock h => $"### {Inline(h.Text)}",
        ListBlock l => string.Join('\n', l.Items.Select(i => $"- {Inline(i)}")),
        FactsBlock f when f.Facts.Count <= MostListed => string.Join('\n', f.Facts.Select(p => $"- {Inline(p.Name)}: {Inline(p.Value)}")),
        FactsBlock f => string.Join("; ", f.Facts.Select(p => $"{Inline(p.Name)}: {Inline(p.Value)}")),
        TableBlock t => Table(t.Table),
        CodeBlock c => $"{Inline(c.Title)}:\n\n{string.Join('\n', PlainText.Lines(c.Text).Split('\n').Select(line => $"    {line}"))}",
        _ => null, // what is drawn has no words of its own
    };

    private static string Table(ReportTable table)
    {
        IEnumerable<string> lines =
        [
            Row(table.Columns.Select(c => Cell(c.Header))),
            $"|{string.Join('|', table.Columns.Select(c => c.IsNumeric ? "---:" : "---"))}|",
            .. table.Rows.Select(row => Row(row.Cells.Select(Marked))),
        ];
        return string.Join('\n', lines);
    }

    private static string Row(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |";

    private static string Marked(ReportCell cell)
    {
        string around = cell.Mark switch { CellMark.Best => "**", CellMark.Undecided => "*", _ => "" };
        return $"{around}{Cell(cell.Text)}{around}{(cell.Detail is null ? "" : $" {Cell(cell.Detail)}")}";
    }

    private static string Cell(string text) => Inline(text).Replace("|", "\\|", StringComparison.Ordinal);

    // Names come from files: nothing in them may become HTML or code, or break a line.
    private static string Inline(string text) =>
        PlainText.OneLine(text).Replace("`", "'", StringComparison.Ordinal).Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal);
}
