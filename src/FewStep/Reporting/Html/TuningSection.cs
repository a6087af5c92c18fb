using System.Xml.Linq;
using FewStep.Reporting.Charts;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>How fine-tuning went, round by round.</summary>
internal static class TuningSection
{
    public static XElement? Build(RunSummary summary, MethodStyles styles)
    {
        IReadOnlyList<TuningRoundSummary> rounds = summary.TuningRounds;
        if (rounds.Count == 0)
        {
            return null;
        }

        (XElement, string)[] legend = [.. rounds.Select((r, i) => (Figure.LineSample($"series {styles.Of(r.Schedule, r.Tuning).CssClass} {TuningChart.DashClass(rounds, i)}"), Name(r)))];
        bool drawable = rounds.SelectMany(r => r.Points).Any(p => p.TrainingLoss > 0 || p.HeldOut > 0);
        return Element.Section(
            "tuning",
            "Fine-tuning",
            drawable ? Figure.Build(size => TuningChart.Draw(rounds, styles, size), "Ring: the update whose weights were best on the held-out metric. Long curves are drawn as means of neighbouring points.", legend) : Element.Note("There is no curve to draw."),
            new XElement("ul", rounds.Select(r => new XElement("li", Story(r)))));
    }

    private static string Name(TuningRoundSummary round) => $"round {NumberText.Count(round.Round)}: {MethodName.Of(round.Schedule, round.Tuning)}";

    private static string Story(TuningRoundSummary round)
    {
        long updates = round.Points.Select(p => p.Update).DefaultIfEmpty(0).Max();
        double? kept = round.Points.FirstOrDefault(p => p.Update == round.BestUpdate && p.HeldOut is not null)?.HeldOut;
        double? first = round.Points.FirstOrDefault(p => p.HeldOut is not null)?.HeldOut;
        string best = round.BestUpdate switch
        {
            null => "nothing was measured, and the weights are those it began with",
            0 => $"never better than the weights it began with, which are kept ({round.HeldOutMetric} {NumberText.Significant(kept)})",
            { } update => $"best at update {NumberText.Count(update)} ({round.HeldOutMetric} {NumberText.Significant(kept)}, first measured {NumberText.Significant(first)})",
        };
        string rival = round.IsKept ? "" : " The run delivers the model of another round, whose samples are closer to the teacher's.";
        return $"{Name(round)}, loss {round.Loss}: {NumberText.Count(updates)} updates in {NumberText.Duration(round.Seconds)}; {best}; stopped because: {round.StopReason.TrimEnd('.')}.{rival}";
    }
}
