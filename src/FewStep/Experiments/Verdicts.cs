using FewStep.Metrics;

namespace FewStep.Experiments;

/// <summary>Says for each number and figure which trial is best and which are not told apart from it.</summary>
/// <remarks>
/// All trials have the same latents, so values are compared by their differences range by range, which vary far less than the values do
/// (<see cref="PairedRanges"/>, two-sided 95 %). Nothing corrects for the choice of the best among many. Teachers are not judged.
/// </remarks>
internal static class Verdicts
{
    public static IReadOnlyList<TrialSummary> Judge(IReadOnlyList<TrialSummary> trials, IReadOnlyList<FigureSummary> figures)
    {
        var verdicts = trials.Select(_ => new Dictionary<string, Verdict>()).ToArray();
        foreach (var figure in figures)
        {
            var comparable = Enumerable.Range(0, trials.Count).Where(i => trials[i].Role != TrialRole.Teacher && trials[i].Has(figure));
            foreach (var group in comparable.GroupBy(i => trials[i].Number))
            {
                int best = group.MinBy(i => trials[i].Cost(figure));
                foreach (int i in group)
                {
                    verdicts[i][figure.Key] = i == best ? new Verdict(Standing.Best, 0)
                        : Against(trials[best].Figures[figure.Key], trials[i].Figures[figure.Key], figure.HigherIsBetter);
                }
            }
        }

        return [.. trials.Select((t, i) => t with { Verdicts = verdicts[i] })];
    }

    private static Verdict Against(FigureValues best, FigureValues other, bool higherIsBetter)
    {
        var pairs = best.Ranges.Join(other.Ranges, r => r.FirstSeed, r => r.FirstSeed, (b, o) => (Best: b.Value, Other: o.Value)).ToList();
        var difference = PairedRanges.Compare([.. pairs.Select(p => p.Best)], [.. pairs.Select(p => p.Other)]);
        if (difference?.HalfWidth is not double halfWidth)
            return new Verdict(Standing.Undecided, other.Mean - best.Mean);
        bool behind = (higherIsBetter ? -difference.Mean : difference.Mean) > halfWidth;
        return new Verdict(behind ? Standing.Behind : Standing.Undecided, difference.Mean, halfWidth);
    }
}
