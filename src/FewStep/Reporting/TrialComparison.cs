using FewStep.Experiments;
using FewStep.Metrics;

namespace FewStep.Reporting;

/// <summary>What can be said of two trials by one figure: the paired two-sided 95 % interval over the seed ranges of both.</summary>
/// <remarks>The interval knows of the seeds' chance alone. It holds for two trials that were chosen before they were measured; the best of
/// several is lower by luck.</remarks>
internal sealed record TrialComparison(bool? IsBetter, string Words)
{
    public static TrialComparison Of(TrialSummary before, TrialSummary after, FigureSummary figure)
    {
        if (!before.Has(figure) || !after.Has(figure))
            return new(null, "not comparable, because one of them has no value");
        FigureValues a = before.Figures[figure.Key], b = after.Figures[figure.Key];
        if (a.Ranges.Concat(b.Ranges).Select(r => r.Images).Distinct().Count() > 1)
            return new(null, "not comparable, because their numbers of images differ");
        (double Before, double After)[] pairs =
            [.. from x in a.Ranges join y in b.Ranges on x.FirstSeed equals y.FirstSeed select (x.Value, y.Value)];
        if (before.Solver is null || after.Solver is null || pairs.Length != a.Ranges.Count || pairs.Length != b.Ranges.Count
            || PairedRanges.Compare([.. pairs.Select(p => p.Before)], [.. pairs.Select(p => p.After)]) is not { } difference)
        {
            return new(null, "not compared, because they do not have the same seeds");
        }

        if (difference.HalfWidth is not { } half)
            return new(null, "not shown to differ (there is one range of seeds only, so the spread is unknown)");
        double low = difference.Mean - half, high = difference.Mean + half;
        string interval = $"paired two-sided 95 % interval of the difference {NumberText.Signed(low)} to {NumberText.Signed(high)} "
            + $"over {NumberText.Count(difference.Pairs)} seed ranges";
        if (low <= 0 && high >= 0)
            return new(null, $"not shown to differ ({interval})");
        bool higher = low > 0, better = higher == figure.HigherIsBetter;
        string size = a.Mean > 0 && b.Mean > 0 ? $"{NumberText.Percent(Math.Abs((b.Mean / a.Mean) - 1))} " : "";
        return new(better, $"{size}{(higher ? "higher" : "lower")} ({(better ? "better" : "worse")}; {interval})");
    }
}
