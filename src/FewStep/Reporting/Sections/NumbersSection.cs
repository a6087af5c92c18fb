using FewStep.Experiments;

namespace FewStep.Reporting.Sections;

/// <summary>All trials with all figures: a table for each number, or one for the terminal.</summary>
internal sealed class NumbersSection() : ReportSection("numbers", "Numbers", isBrief: true)
{
    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
    {
        Summary summary = page.Summary;
        if (summary.Trials.Count == 0)
            yield break;
        TrialSummary[] teachers = [.. summary.Trials.Where(t => t.Role == TrialRole.Teacher)];
        if (page.IsBrief || page.Numbers.Count < 2)
        {
            yield return new TableBlock(Table(page, [.. page.Numbers.SelectMany(page.ShownAt), .. teachers]), "All trials");
        }
        else
        {
            var groups = page.Numbers.Select(n => (page.Unit(n), page.ShownAt(n).ToArray())).Append(("Teacher", teachers));
            foreach ((string heading, TrialSummary[] trials) in groups.Where(g => g.Item2.Length > 0))
            {
                yield return new HeadingBlock(heading);
                yield return new TableBlock(Table(page, trials), $"Trials: {heading}");
            }
        }

        foreach (string note in Notes(page))
            yield return new TextBlock(note, TextWeight.Note);
    }

    // Columns that no row fills are left out.
    private static ReportTable Table(ReportPage page, IReadOnlyList<TrialSummary> trials) => TrialColumn.Table(
        [.. Columns(page).Where((c, i) => i == 0 || trials.Any(t => c.Cell(t).Text != NumberText.Missing))], trials, page.Styles);

    private static IEnumerable<TrialColumn> Columns(ReportPage page)
    {
        bool isStored = page.Summary.Trials.All(t => t.Solver is null);
        yield return new(isStored ? "Images of" : "Schedule", false, t => ReportCell.Of(t.ScheduleLabel));
        yield return new("Tuning", false, t => ReportCell.Of(t.Tuning));
        yield return new("Solver", false, t => ReportCell.Of(t.Solver));
        foreach (FigureSummary figure in page.Summary.Figures)
        {
            Verdict? Of(TrialSummary t) => t.Verdicts.GetValueOrDefault(figure.Key);
            string? Detail(TrialSummary t) => page.IsBrief ? null : FigureText.Difference(Of(t));
            yield return new(
                FigureText.Header(figure), true, t => new(FigureText.Value(t, figure), Detail(t)) { Mark = FigureText.Mark(Of(t)) });
            if (page.IsBrief && figure == page.Main)
            {
                yield return new("Behind the best", true, t => ReportCell.Of(
                    Of(t)?.Standing == Standing.Undecided ? $"{FigureText.Difference(Of(t))}, not decided" : FigureText.Difference(Of(t))));
            }
        }

        yield return new("Steps", true, t => ReportCell.Of(t.Steps is { } steps ? NumberText.Count(steps) : null));
        yield return new(
            "NFE", true, t => ReportCell.Of(t.EvaluationsPerImage is { } evaluations ? NumberText.Evaluations(evaluations) : null));
        yield return new("J, power 0", true, t => Estimate(t.LossPower0, page.IsBrief));
        yield return new("J, power 1", true, t => Estimate(t.LossPower1, page.IsBrief));
        if (!page.IsBrief)
        {
            yield return new("Images", true, t => ReportCell.Of(Images(t)));
            yield return new("Time", true, t => ReportCell.Of(t.Seconds > 0 ? NumberText.Duration(t.Seconds) : null));
        }
    }

    private static ReportCell Estimate(EstimateSummary? estimate, bool isBrief)
    {
        (string value, string? interval) = NumberText.Estimate(estimate?.Value, estimate?.Low, estimate?.High);
        return new(value, isBrief ? null : interval);
    }

    private static string? Images(TrialSummary trial)
    {
        IReadOnlyList<RangeValue> ranges = trial.Figures.Values.Select(f => f.Ranges).FirstOrDefault(r => r.Count > 0) ?? [];
        return ranges.Count == 0 ? null : $"{NumberText.Count(ranges.Count)} × {NumberText.Count(ranges.Min(r => r.Images))}";
    }

    private static IEnumerable<string> Notes(ReportPage page)
    {
        Summary summary = page.Summary;
        if (page.MostAtNumber is { } most)
        {
            string best = page.Main is { } first ? $" by {first.ShortName}" : "";
            yield return $"{NumberText.Count(summary.Trials.Count)} trials were measured. Tables and charts show the best "
                + $"{NumberText.Count(most)}{best} at each number; metrics.csv and {Summary.FileName} have all.";
        }

        foreach (FigureSummary figure in summary.Figures)
        {
            string? floor = figure == page.Main ? null : FigureText.Floor(figure); // that of the main figure is in the headline
            yield return $"{figure.Name}: {figure.Description} {floor}".TrimEnd();
        }

        if (page.Main is { Floor: null } main)
            yield return $"The floor of {main.ShortName} (real images against real images) was not measured.";
        if (summary.Trials.Any(t => t.Verdicts.Count > 0))
        {
            yield return "↓: lower is better; ↑: higher is better. Mean ± standard deviation over disjoint ranges of seeds, the same for "
                + "every row. Under it: the mean difference to the best at the same number, ± the half-width of the paired two-sided 95 % "
                + "interval "
                + "(Student's t over the ranges). Italic: not decided, because the interval reaches zero. It knows of chance in the seeds "
                + "only, and nothing corrects for the choice of the best among many, which flatters it a little.";
        }

        if (summary.Trials.Any(t => t.EvaluationsPerImage is not null))
            yield return "NFE: network evaluations an image, counted while sampling.";
        if (summary.Trials.Any(t => t.LossPower0 is not null || t.LossPower1 is not null))
        {
            yield return "J: discretization loss of the schedule on the model's loss curve, with its confidence interval; power 0 weighs "
                + "by −ln\u00a0σ, power 1 by 1/σ. It is a bound, not a measure of image quality.";
        }
    }
}
