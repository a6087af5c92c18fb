using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary>What <c>--list-solvers</c> prints: every solver with its orders and options.</summary>
internal static class SolverList
{
    private sealed record Listing(IReadOnlyList<Entry> Solvers);

    private sealed record Entry(
        string Name,
        string Form,
        IReadOnlyList<int> Orders,
        int? DefaultOrder,
        int EvaluationsPerStep,
        string Description,
        string Source,
        IReadOnlyList<Choice> Options);

    private sealed record Choice(string Key, string Values, string Default, string Description);

    public static void Show(TerminalOutput terminal, bool json)
    {
        var listing = new Listing([.. SolverCatalog.Families.Select(Describe)]);
        terminal.Result(json, listing, console =>
        {
            var table = new Table { ShowRowSeparators = true };
            table.AddColumns("Solver", "Orders", "Evaluations a step", "Options (the default first)", "What it is");

            foreach (var solver in listing.Solvers)
            {
                string orders = solver.Orders.Count == 0 ? "" : string.Join(", ", solver.Orders.Select(
                    order => order.ToString(CultureInfo.InvariantCulture) + (order == solver.DefaultOrder ? " (default)" : "")));
                string options = string.Join('\n', solver.Options.Select(o => $"{o.Key}={Values(o)}"));
                table.AddRow(
                    Markup.Escape(solver.Name),
                    Markup.Escape(orders),
                    Markup.Escape(solver.EvaluationsPerStep.ToString(CultureInfo.InvariantCulture)),
                    Markup.Escape(options),
                    Markup.Escape($"{solver.Description} ({solver.Source})"));
            }

            console.Write(table);
            console.Profile.Out.Writer.WriteLine(
                "A solver is written name[:order][:key=value]..., e.g. unipc:3:variant=bh1; ddim is euler.");
        });
    }

    private static Entry Describe(SolverFamily family) => new(
        family.Name,
        family.Form,
        family.Orders,
        family.DefaultOrder,
        SolverCatalog.Find(family.Name).EvaluationsPerStep,
        family.Description,
        family.Source,
        [.. family.Options.Select(o => new Choice(o.Key, o.Values, o.Default, o.Description))]);

    private static string Values(Choice option)
    {
        string[] words = option.Values.Split('|');
        return words.Length == 1 ? $"{option.Default} ({option.Values})" : string.Join('|', words.OrderBy(word => word != option.Default));
    }
}
