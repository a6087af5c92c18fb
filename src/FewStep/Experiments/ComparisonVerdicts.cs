using MathNet.Numerics.Distributions;

namespace FewStep.Experiments;

/// <summary>Says for each number which cell is best and which are not told apart from it.</summary>
/// <remarks>
/// Every cell has the same latents, so values are compared by their differences range by range, which vary far less than the values do. A cell is behind the best where the mean difference exceeds
/// t s / sqrt(k): k ranges, s the standard deviation of the differences, t Student's one-sided 95 % quantile of k - 1 degrees of freedom. Nothing corrects for the choice of the best among many.
/// </remarks>
internal static class ComparisonVerdicts
{
    private const double Confidence = 0.95;

    /// <summary>Fills in the verdicts of all cells.</summary>
    public static IReadOnlyList<ComparisonCellSummary> Judge(IReadOnlyList<ComparisonCellSummary> cells)
    {
        var distances = Verdicts(cells, c => c.Distance);
        var endpoints = Verdicts(cells, c => c.Endpoint);
        return [.. cells.Select((c, i) => c with { DistanceVerdict = distances[i], EndpointVerdict = endpoints[i] })];
    }

    private static ComparisonVerdict?[] Verdicts(IReadOnlyList<ComparisonCellSummary> cells, Func<ComparisonCellSummary, DistanceSummary?> value)
    {
        var verdicts = new ComparisonVerdict?[cells.Count];
        foreach (var group in Enumerable.Range(0, cells.Count).Where(i => double.IsFinite(value(cells[i])?.Mean ?? double.NaN)).GroupBy(i => cells[i].Number))
        {
            int best = group.MinBy(i => value(cells[i])!.Mean);
            foreach (int i in group)
            {
                verdicts[i] = i == best ? new ComparisonVerdict(ComparisonStanding.Best, 0, null) : Against(value(cells[best])!, value(cells[i])!);
            }
        }

        return verdicts;
    }

    private static ComparisonVerdict Against(DistanceSummary best, DistanceSummary other)
    {
        if (PairedDifference.Of(best, other) is not { StandardError: { } error } paired)
        {
            return new ComparisonVerdict(ComparisonStanding.Undecided, other.Mean - best.Mean, null);
        }

        double halfWidth = StudentT.InvCDF(0, 1, paired.Pairs - 1, Confidence) * error;
        return new ComparisonVerdict(paired.Mean > halfWidth ? ComparisonStanding.Behind : ComparisonStanding.Undecided, paired.Mean, halfWidth);
    }
}
