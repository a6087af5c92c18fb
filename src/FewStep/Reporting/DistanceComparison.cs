using FewStep.Experiments;
using MathNet.Numerics.Distributions;

namespace FewStep.Reporting;

/// <summary>What can honestly be said of two measurements of the metric.</summary>
internal enum HeadlineVerdict
{
    /// <summary>The second is lower: the whole 95 % interval of the difference lies below 0.</summary>
    Better,

    /// <summary>The second is higher: the whole 95 % interval of the difference lies above 0.</summary>
    Worse,

    /// <summary>The interval holds 0, or there is none because there is one range only.</summary>
    Unclear,

    /// <summary>One has no value, or the sample sizes differ: the Fréchet distance falls with the sample size.</summary>
    NotComparable,
}

/// <summary>Compares two measurements by Student's t interval of their difference: of pairs of equal seed ranges where there are such, and else Welch's.</summary>
/// <remarks>The interval knows of the seeds' chance alone. It holds for two measurements that were chosen before they were measured; the best of several is lower by luck.</remarks>
/// <param name="HeadlineVerdict">What can be said.</param>
/// <param name="Reason">Why, in words.</param>
internal sealed record DistanceComparison(HeadlineVerdict HeadlineVerdict, string Reason)
{
    private const double Confidence = 0.95;

    /// <summary>Compares.</summary>
    /// <param name="before">The measurement to compare with.</param>
    /// <param name="after">The measurement to judge.</param>
    public static DistanceComparison Of(DistanceSummary? before, DistanceSummary? after)
    {
        if (before is null || after is null || !double.IsFinite(before.Mean) || !double.IsFinite(after.Mean))
        {
            return new(HeadlineVerdict.NotComparable, "one of them has no value");
        }

        if (before.Ranges.Concat(after.Ranges).Select(r => r.Images).Distinct().Count() > 1)
        {
            return new(HeadlineVerdict.NotComparable, "their sample sizes differ, and the distance depends on the sample size");
        }

        return PairedDifference.Of(before, after) is { } paired && paired.Pairs == before.Ranges.Count && paired.Pairs == after.Ranges.Count ? Paired(paired) : Unpaired(before, after);
    }

    private static DistanceComparison Paired(PairedDifference paired) => paired.StandardError is { } error
        ? Judge(paired.Mean, error, paired.Pairs - 1, $"over {NumberText.Count(paired.Pairs)} seed ranges")
        : new(HeadlineVerdict.Unclear, "from one range of seeds only, so the spread is unknown");

    private static DistanceComparison Unpaired(DistanceSummary before, DistanceSummary after)
    {
        if (before.Spread is not { } sb || after.Spread is not { } sa)
        {
            return new(HeadlineVerdict.Unclear, "measured on different seeds, with unknown spread");
        }

        double vb = sb * sb / before.Ranges.Count, va = sa * sa / after.Ranges.Count;
        double degrees = va + vb == 0
            ? before.Ranges.Count + after.Ranges.Count - 2
            : (va + vb) * (va + vb) / ((vb * vb / (before.Ranges.Count - 1)) + (va * va / (after.Ranges.Count - 1))); // Welch and Satterthwaite
        return Judge(after.Mean - before.Mean, Math.Sqrt(va + vb), degrees, "on different seeds");
    }

    private static DistanceComparison Judge(double mean, double error, double degrees, string where)
    {
        double half = error * StudentT.InvCDF(0, 1, degrees, (1 + Confidence) / 2);
        double low = mean - half, high = mean + half;
        var verdict = high < 0 ? HeadlineVerdict.Better : low > 0 ? HeadlineVerdict.Worse : HeadlineVerdict.Unclear;
        return new(verdict, $"{NumberText.Percent(Confidence)} interval of the difference {NumberText.Signed(low)} to {NumberText.Signed(high)} {where}");
    }
}
