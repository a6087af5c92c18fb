using FewStep.Reporting;
using FewStep.Experiments;
using Spectre.Console;

namespace FewStep.Cli.Terminal;

/// <summary>Draws the tables of a report on a terminal.</summary>
internal static class ReportTables
{
    /// <summary>The comparison's table, what can be said of it, and where the report lies.</summary>
    /// <param name="console">Where to.</param>
    /// <param name="summary">What to show.</param>
    /// <param name="report">Path of the HTML report.</param>
    public static void Show(IAnsiConsole console, RunSummary summary, string report)
    {
        console.Write(Draw(ConsoleTable.Evaluations(summary)));
        foreach (string line in ConsoleTable.Headline(summary).Concat(ConsoleTable.Warnings(summary)).Append(ConsoleTable.Floor(summary)).Append($"The report is {report}.").OfType<string>())
        {
            console.Profile.Out.Writer.WriteLine(line); // whole lines: a terminal wraps them better than a table writer
        }
    }

    /// <summary>The cells of a comparison, what can be said of them, and where the page lies.</summary>
    /// <param name="console">Where to.</param>
    /// <param name="summary">What to show.</param>
    /// <param name="report">Path of the page.</param>
    public static void Show(IAnsiConsole console, ComparisonSummary summary, string report)
    {
        console.Write(Draw(ComparisonTables.Cells(summary)));
        foreach (string line in ComparisonTables.Sentences(summary).Concat(summary.Warnings).Append($"The report is {report}."))
        {
            console.Profile.Out.Writer.WriteLine(line);
        }
    }

    /// <summary>The figures of several metrics, and where they lie.</summary>
    /// <param name="console">Where to.</param>
    /// <param name="summary">What to show.</param>
    /// <param name="file">Path of the JSON file.</param>
    public static void Show(IAnsiConsole console, ImageMetricsSummary summary, string file)
    {
        console.Write(Draw(MetricTable.Build(summary)));
        foreach (string line in summary.Warnings.Append($"All figures with their hashes are in {file}."))
        {
            console.Profile.Out.Writer.WriteLine(line);
        }
    }

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
