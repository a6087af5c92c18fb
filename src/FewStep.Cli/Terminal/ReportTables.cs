using FewStep.Reporting;
using Spectre.Console;

namespace FewStep.Cli.Terminal;

/// <summary>Draws the brief sections of a report on a terminal.</summary>
internal static class ReportTables
{
    /// <summary>What came out, in tables and sentences, and where the report lies.</summary>
    public static void Show(IAnsiConsole console, Summary summary, string report)
    {
        foreach (ReportBlock block in ReportSections.Filled(new ReportPage(summary) { IsBrief = true }).SelectMany(s => s.Blocks))
        {
            if (block is TableBlock table)
                console.Write(Draw(table.Table));
            foreach (string line in Lines(block))
                console.Profile.Out.Writer.WriteLine(line); // whole lines: a terminal wraps them better than a table writer
        }

        console.Profile.Out.Writer.WriteLine($"The report is {report}.");
    }

    /// <summary>A table; names from outside are escaped.</summary>
    public static Table Draw(ReportTable table)
    {
        var drawn = new Table();
        foreach (ReportColumn column in table.Columns)
            drawn.AddColumn(new TableColumn(Escape(column.Header)) { Alignment = column.IsNumeric ? Justify.Right : Justify.Left });
        foreach (ReportRow row in table.Rows)
        {
            drawn.AddRow([.. row.Cells.Select(
                cell => cell.Mark == CellMark.Best ? $"[bold]{Escape(cell.ToString())}[/]" : Escape(cell.ToString()))]);
        }

        return drawn;
    }

    private static IEnumerable<string> Lines(ReportBlock block) => block switch
    {
        TextBlock { Weight: not TextWeight.Note } t => [PlainText.OneLine(t.Text)],
        ListBlock l => l.Items.Select(PlainText.OneLine),
        CodeBlock c => [$"{PlainText.OneLine(c.Title)}:", .. PlainText.Lines(c.Text).Split('\n').Select(line => $"  {line}")],
        _ => [],
    };

    private static string Escape(string text) => Markup.Escape(PlainText.OneLine(text));
}
