using FewStep.Experiments;
using FewStep.Reporting.Charts;
using FewStep.Reporting.Html;

namespace FewStep.Reporting.Sections;

/// <summary>How fine-tuning went, round by round.</summary>
internal sealed class TuningSection() : ReportSection("tuning", "Fine-tuning")
{
    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
    {
        IReadOnlyList<TuningRoundSummary> rounds = page.Summary.TuningRounds;
        if (rounds.Count == 0)
            yield break;
        (XElement, string)[] legend =
            [.. rounds.Select((r, i) => (
                Figure.LineSample($"series {page.Styles.Of(r.Schedule, r.Tuning).CssClass} {TuningChart.DashClass(rounds, i)}"), Name(r)))];
        yield return rounds.SelectMany(r => r.Points)
            .Any(p => (p.TrainingLoss is { } loss && double.IsFinite(loss)) || (p.HeldOut is { } held && double.IsFinite(held)))
            ? new DrawnBlock(() => Figure.Build(
                size => TuningChart.Draw(rounds, page.Styles, size),
                "Ring: the update whose weights were best on the held-out metric. Long curves are drawn as means of neighbouring points.",
                legend))
            : new TextBlock("There is no curve to draw.", TextWeight.Note);
        yield return new ListBlock([.. rounds.Select(Story)]);
    }

    private static string Name(TuningRoundSummary round)
        => $"round {NumberText.Count(round.Round)}: {ReportPage.Method(round.Schedule, round.Tuning)}";

    private static string Story(TuningRoundSummary round)
    {
        long updates = round.Points.Select(p => p.Update).DefaultIfEmpty(0).Max();
        double? kept = round.Points.FirstOrDefault(p => p.Update == round.BestUpdate && p.HeldOut is not null)?.HeldOut;
        double? first = round.Points.FirstOrDefault(p => p.HeldOut is not null)?.HeldOut;
        string best = round.BestUpdate switch
        {
            null => "nothing was measured, and the weights are those it began with",
            0 => $"never better than the weights it began with, which are kept ({round.HeldOutMetric} {NumberText.Significant(kept)})",
            { } update => $"best at update {NumberText.Count(update)} ({round.HeldOutMetric} {NumberText.Significant(kept)}, first "
                + $"measured {NumberText.Significant(first)})",
        };
        string rival = round.IsKept ? "" : " The run delivers the model of another round, whose samples are closer to the teacher's.";
        return $"{Name(round)}, loss {round.Loss}: {NumberText.Count(updates)} updates in {NumberText.Duration(round.Seconds)}; {best}; "
            + $"stopped because: {round.StopReason.TrimEnd('.')}.{rival}";
    }
}
