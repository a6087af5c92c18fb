using FewStep.Experiments;
using FewStep.Reporting.Charts;
using FewStep.Reporting.Html;

namespace FewStep.Reporting.Sections;

/// <summary>The schedules at the number that is shown, side by side and as numbers.</summary>
internal sealed class SchedulesSection() : ReportSection("schedules", "Sampling schedules")
{
    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
    {
        // One line for each schedule as such, whatever solver or weights used it.
        TrialSummary[] trials =
        [
            .. page.Shown.Where(t => (t.Number == page.Summary.ShownNumber || t.Role == TrialRole.Teacher)
                && t.Sigmas.Any(s => s > 0 && double.IsFinite(s))),
        ];
        (string Name, TrialSummary Trial)[] shown = [.. trials.Select(t => (Name(trials, t), t)).DistinctBy(t => t.Item1)];
        if (shown.Length == 0)
            yield break;
        ChartRow[] rows = [.. shown.Select(s => Row(page, s.Name, s.Trial))];
        yield return new DrawnBlock(() => Figure.Build(
            size => new RowChart(rows, size).Draw("schedules", "Noise levels of each schedule", "noise level σ (log scale)"),
            "Sampling runs from right to left; each point is a noise level. Grey: standard schedules, which know nothing of the model."
            + (rows.Any(r => r.ToZero) ? " An arrow marks a last step to zero." : "")));
        yield return new HeadingBlock("Sigmas as numbers");
        yield return new FactsBlock([.. shown.Select(s => (s.Name, Sigmas(s.Trial, sigma => NumberText.Sigma(sigma, 5))))]);
    }

    /// <summary>All sigmas in a line, with what happens at the last.</summary>
    public static string Sigmas(TrialSummary trial, Func<double, string> text) =>
        string.Join(", ", trial.Sigmas.Select(text)) + (trial.Terminal == ScheduleTerminal.Zero ? ", then 0" : "");

    private static string Name(TrialSummary[] trials, TrialSummary t)
    {
        string name = t.FoundFor is null || t.IsTransfer ? t.ScheduleLabel : $"{t.ScheduleLabel} of {t.FoundFor}";
        var same = trials.Where(o => (o.Schedule, o.FoundFor) == (t.Schedule, t.FoundFor));
        return same.Select(o => o.Steps).Distinct().Count() > 1 ? $"{name}, {Steps(t)}" : name;
    }

    private static string Steps(TrialSummary t) => t.Steps == 1 ? "1 step" : $"{NumberText.Count(t.Sigmas.Count - 1)} steps";

    private static ChartRow Row(ReportPage page, string name, TrialSummary trial)
    {
        bool labelled = trial.Role != TrialRole.Teacher && trial.Source != ScheduleSource.Standard;
        return new ChartRow(
            name,
            trial.Role == TrialRole.Teacher ? page.Styles.Of(trial) : page.Styles.Of(trial.Schedule ?? trial.Name, null),
            [.. trial.Sigmas.Select(
                (s, i) => new ChartRowPoint(s, $"{name}: σ[{i}] = {NumberText.Sigma(s, 5)}", labelled ? NumberText.Sigma(s) : ""))])
        {
            Joined = true,
            ToZero = trial.Terminal == ScheduleTerminal.Zero,
            Note = Steps(trial),
        };
    }
}
