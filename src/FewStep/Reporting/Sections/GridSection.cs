using FewStep.Experiments;

namespace FewStep.Reporting.Sections;

/// <summary>Solvers by schedules, a table for each figure and number, where most combinations were measured.</summary>
internal sealed class GridSection() : ReportSection("grid", "Solvers and schedules")
{
    private const int LeastTrials = 6; // fewer are seen at a glance in the table of all

    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
    {
        var tables = from figure in page.Summary.Figures
                     from number in page.Numbers
                     let trials = page.ShownAt(number).Where(t => !t.IsTransfer && t.Solver is not null && t.Has(figure))
                         .ToArray()
                     let solvers = trials.Select(t => t.Solver!).Distinct().ToArray()
                     let methods = trials.Select(ReportPage.Method).Distinct().ToArray()
                     where trials.Length >= LeastTrials && solvers.Length > 1 && methods.Length > 1
                         && 4 * trials.Length >= 3 * solvers.Length * methods.Length
                     select new ReportBlock[]
                     {
                         new HeadingBlock($"{figure.ShortName}, {page.Unit(number)}"),
                         new TableBlock(
                             Table(trials, solvers, methods, figure), $"{figure.ShortName} at {page.Unit(number)}: solvers by schedules"),
                     };
        ReportBlock[] blocks = [.. tables.SelectMany(t => t)];
        return blocks.Length == 0
            ? []
            : [.. blocks, new TextBlock("Bold: the best at the number. Italic: the seed ranges do not tell it from the best. A schedule "
                + "that looks at the solver was searched for the one in its row.", TextWeight.Note)];
    }

    private static ReportTable Table(TrialSummary[] trials, string[] solvers, string[] methods, FigureSummary figure)
    {
        ReportCell Cell(string solver, string method)
        {
            if (trials.FirstOrDefault(t => t.Solver == solver && ReportPage.Method(t) == method) is not { } trial)
                return new(NumberText.Missing);
            (string mean, string? spread) = NumberText.Parts(FigureText.Value(trial, figure));
            return new(mean, spread) { Mark = FigureText.Mark(trial.Verdicts.GetValueOrDefault(figure.Key)) };
        }

        return new(
            [new("Solver", false), .. methods.Select(m => new ReportColumn(m, true))],
            [.. solvers.Select(s => new ReportRow([new(s), .. methods.Select(m => Cell(s, m))]))])
        { IsMatrix = true };
    }
}
