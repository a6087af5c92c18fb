using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary>What <c>--list-solvers</c>, <c>--list-schedules</c> and <c>--list-optimizers</c> print.</summary>
internal static class Listings
{
    public static void Solvers(TerminalOutput terminal, bool json)
    {
        var solvers = SolverCatalog.Families.Select(f => new
        {
            f.Name,
            f.Form,
            f.Orders,
            f.DefaultOrder,
            SolverCatalog.Find(f.Name).EvaluationsPerStep,
            f.Description,
            f.Source,
            Options = f.Options.Select(o => new { o.Key, o.Values, o.Default, o.Description }),
        }).ToList();
        string Orders(int order, int? usual) => $"{order.ToString(CultureInfo.InvariantCulture)}{(order == usual ? " (default)" : "")}";
        terminal.Result(json, new { solvers }, console =>
        {
            Write(console, ["Solver", "Orders", "Evaluations a step", "Options (the default first)", "What it is"],
                solvers.Select(s => new[]
                {
                    s.Name, string.Join(", ", s.Orders.Select(o => Orders(o, s.DefaultOrder))),
                    s.EvaluationsPerStep.ToString(CultureInfo.InvariantCulture),
                    string.Join('\n', s.Options.Select(o => $"{o.Key}={Values(o.Values, o.Default)}")), $"{s.Description} ({s.Source})",
                }), separated: true);
            console.Profile.Out.Writer.WriteLine(
                "A solver is written name[:order][:key=value]..., e.g. unipc:3:variant=bh1; ddim is euler.");
        });
    }

    public static void Schedules(TerminalOutput terminal, bool json) =>
        terminal.Result(json, new { schedules = StandardSchedules.All }, console =>
        {
            Write(console, ["schedule", "what it is", "source"],
                StandardSchedules.All.Select(e => new[] { WithParameter(e.Name, e.Parameter), e.Description, e.Source }));
            console.WriteLine("Wherever a schedule is asked for, a file with a JSON list of sigmas or a schedule file does as well, and is "
                + "used exactly as given.");
        });

    public static void Optimizers(TerminalOutput terminal, bool json)
    {
        var optimizers = ScheduleOptimizerCatalog.All.Select(
            e => new { e.Name, e.Parameter, e.Description, e.Source, e.IsForSolver, e.NeedsLossCurve });
        terminal.Result(json, new { optimizers }, console => Write(console, ["optimiser", "what it does", "source"],
            optimizers.Select(e => new[] { WithParameter(e.Name, e.Parameter), e.Description, e.Source })));
    }

    private static void Write(IAnsiConsole console, string[] columns, IEnumerable<string[]> rows, bool separated = false)
    {
        var table = new Table { ShowRowSeparators = separated }.AddColumns(columns);
        foreach (string[] row in rows)
            table.AddRow([.. row.Select(Markup.Escape)]);
        console.Write(table);
    }

    private static string WithParameter(string name, string? parameter) => parameter is null ? name : $"{name}[:{parameter}]";

    private static string Values(string values, string usual)
    {
        string[] words = values.Split('|');
        return words.Length == 1 ? $"{usual} ({values})" : string.Join('|', words.OrderBy(word => word != usual));
    }
}
