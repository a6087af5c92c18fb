using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary>Prints the schedule optimisers.</summary>
internal static class OptimizerList
{
    public static void Show(TerminalOutput terminal, bool json)
    {
        var entries = ScheduleOptimizerCatalog.All;
        terminal.Result(json,
            new { optimizers = entries.Select(e => new { e.Name, e.Parameter, e.Description, e.Source, e.IsForSolver, e.NeedsLossCurve }) },
            console =>
        {
            var table = new Table().AddColumns("optimiser", "what it does", "source");
            foreach (var entry in entries)
            {
                table.AddRow(Markup.Escape(entry.Parameter is null ? entry.Name : $"{entry.Name}[:{entry.Parameter}]"),
                    Markup.Escape(entry.Description), Markup.Escape(entry.Source));
            }

            console.Write(table);
        });
    }
}
