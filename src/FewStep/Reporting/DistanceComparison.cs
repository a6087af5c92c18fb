using FewStep.Runs;

namespace FewStep.Reporting;

/// <summary>What can honestly be said of two measurements of the metric.</summary>
internal enum Verdict
{
    /// <summary>The second is lower, beyond doubt from the seeds.</summary>
    Better,

    /// <summary>The second is higher, beyond doubt from the seeds.</summary>
    Worse,

    /// <summary>The seed ranges do not agree.</summary>
    Unclear,

    /// <summary>One has no value, or the sample sizes differ: the Fréchet distance falls with the sample size.</summary>
    NotComparable,
}

/// <summary>Compares two measurements, by pairs of equal seed ranges where there are such.</summary>
/// <param name="Verdict">What can be said.</param>
/// <param name="Reason">Why, in words.</param>
internal sealed record DistanceComparison(Verdict Verdict, string Reason)
{
    /// <summary>Compares.</summary>
    /// <param name="before">The measurement to compare with.</param>
    /// <param name="after">The measurement to judge.</param>
    public static DistanceComparison Of(DistanceSummary? before, DistanceSummary? after)
    {
        if (before is null || after is null || !double.IsFinite(before.Mean) || !double.IsFinite(after.Mean))
        {
            return new(Verdict.NotComparable, "one of them has no value");
        }

        if (before.Ranges.Concat(after.Ranges).Select(r => r.Images).Distinct().Count() > 1)
        {
            return new(Verdict.NotComparable, "their sample sizes differ, and the distance depends on the sample size");
        }

        double[] differences = [.. from b in before.Ranges join a in after.Ranges on b.FirstSeed equals a.FirstSeed select a.Value - b.Value];
        return differences.Length == before.Ranges.Count && differences.Length == after.Ranges.Count ? Paired(differences) : Unpaired(before, after);
    }

    private static DistanceComparison Paired(double[] differences)
    {
        int lower = differences.Count(d => d < 0), higher = differences.Count(d => d > 0), all = differences.Length;
        string of = NumberText.Count(all);
        return (lower, higher) switch
        {
            _ when all == 1 && differences[0] != 0 => new(lower == 1 ? Verdict.Better : Verdict.Worse, "from one range of seeds only, so the spread is unknown"),
            _ when lower == all => new(Verdict.Better, $"in all {of} seed ranges"),
            _ when higher == all => new(Verdict.Worse, $"in all {of} seed ranges"),
            _ => new(Verdict.Unclear, $"lower in {NumberText.Count(lower)} of {of} seed ranges"),
        };
    }

    private static DistanceComparison Unpaired(DistanceSummary before, DistanceSummary after)
    {
        if (before.Spread is not { } a || after.Spread is not { } b)
        {
            return new(Verdict.Unclear, "measured on different seeds, with unknown spread");
        }

        double difference = after.Mean - before.Mean;
        return Math.Abs(difference) > 2 * (a + b)
            ? new(difference < 0 ? Verdict.Better : Verdict.Worse, "more than twice the spreads, on different seeds")
            : new(Verdict.Unclear, "within twice the spreads, on different seeds");
    }
}
