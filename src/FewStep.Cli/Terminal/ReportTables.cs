using FewStep.Reporting;
using Spectre.Console;

namespace FewStep.Cli.Terminal;

/// <summary>Draws the tables of a report on a terminal.</summary>
internal static class ReportTables
{
    /// <summary>A table with the report's columns; names from outside are escaped.</summary>
    /// <param name="table">The table.</param>
    public static Table Draw(ReportTable table)
    {
        var drawn = new Table();
        foreach (var column in table.Columns)
        {
            drawn.AddColumn(new TableColumn(Markup.Escape(column.Header)) { Alignment = column.IsNumeric ? Justify.Right : Justify.Left });
        }

        foreach (var row in table.Rows)
        {
            drawn.AddRow([.. row.Select(cell => Markup.Escape(cell.ToString()))]);
        }

        return drawn;
    }
}
