using FewStep.Experiments;

namespace FewStep.Reporting.Sections;

/// <summary>What becomes of a schedule that was found for one solver and is used with another.</summary>
internal sealed class TransferSection() : ReportSection("transfer", "Schedules found for one solver, used with another")
{
    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
    {
        if (page.Main is not { } main || !page.Shown.Any(t => t.IsTransfer))
            yield break;
        yield return new TextBlock(
            $"Rows: the solver that the schedule was searched for. Columns: the solver that used it. Each cell: {main.ShortName}, and its "
                + "ratio to the schedule found for that very solver. "
            + "Bold: a solver's own schedule. Orange is worse than its own, blue is better.");
        foreach (string schedule in page.Shown.Where(t => t.IsTransfer).Select(t => t.Schedule).OfType<string>().Distinct())
        {
            foreach (int number in page.Numbers)
            {
                TrialSummary[] trials = [.. page.ShownAt(number).Where(t => t.Schedule == schedule && t.Solver is not null)];
                if (trials.Any(t => t.IsTransfer))
                {
                    yield return new HeadingBlock($"{schedule}, {page.Unit(number)}");
                    yield return new TableBlock(Matrix(trials, main), $"Transfer of {schedule} at {page.Unit(number)}");
                }
            }
        }

        yield return new TextBlock("No schedule was searched for a transfer alone: where a solver needs a number of steps that the other's "
            + "searches did not have, there is a dash.", TextWeight.Note);
    }

    private static ReportTable Matrix(TrialSummary[] trials, FigureSummary main)
    {
        string[] users = [.. trials.Select(t => t.Solver!).Distinct()], targets = [.. users.Where(u => trials.Any(t => t.FoundFor == u))];
        return new(
            [new($"{main.ShortName}; found for", false), .. users.Select(u => new ReportColumn($"with {u}", true))],
            [.. targets.Select(target => new ReportRow([new(target), .. users.Select(user => Cell(trials, target, user, main))]))])
        { IsMatrix = true };
    }

    private static ReportCell Cell(TrialSummary[] trials, string target, string user, FigureSummary main)
    {
        TrialSummary? Of(string foundFor)
            => trials.FirstOrDefault(t => t.FoundFor == foundFor && t.Solver == user && t.Has(main));
        if (Of(target) is not { } here)
            return new(NumberText.Missing);
        string text = FigureText.Value(here, main);
        if (target == user || Of(user) is not { } own || own.Figures[main.Key].Mean <= 0)
            return new(text) { Mark = target == user ? CellMark.Best : CellMark.None };
        double ratio = here.Figures[main.Key].Mean / own.Figures[main.Key].Mean;
        double shade = ratio > 0 ? Math.Clamp(Math.Log2(ratio), -1, 1) : 0; // full at half or double
        return new(text, $"× {NumberText.Fixed(ratio, 2)}") { Shade = main.HigherIsBetter ? -shade : shade };
    }
}
