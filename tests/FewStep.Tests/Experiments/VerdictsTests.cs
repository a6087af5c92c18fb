using FewStep.Noise;
using FewStep.Experiments;

namespace FewStep.Tests.Experiments;

public class ComparisonVerdictsTests
{
    [Fact]
    public void Paired_differences_decide_where_the_spreads_overlap()
    {
        // The values spread by 5, the differences by 0.1.
        var cells = Judge([10, 15, 20], [11, 16.1, 20.9], [9, 16, 20.2]);
        Assert.Equal([ComparisonStanding.Best, ComparisonStanding.Behind, ComparisonStanding.Undecided], cells.Select(c => c.DistanceVerdict!.Standing));
        var behind = cells[1].DistanceVerdict!;
        Assert.Equal(1, behind.Difference, 12);
        // Student's one-sided 95 % quantile of 2 degrees of freedom is 2.9200; the standard deviation of (1, 1.1, 0.9) is 0.1.
        Assert.Equal(2.9200 * 0.1 / Math.Sqrt(3), behind.HalfWidth!.Value, 5);
    }

    [Fact]
    public void A_single_range_decides_nothing()
    {
        var cells = Judge([10], [100]);
        Assert.Equal(ComparisonStanding.Best, cells[0].DistanceVerdict!.Standing);
        Assert.Equal(new ComparisonVerdict(ComparisonStanding.Undecided, 90, null), cells[1].DistanceVerdict);
    }

    [Fact]
    public void Each_number_and_each_metric_has_its_own_best_and_what_failed_has_no_verdict()
    {
        ComparisonCellSummary[] cells =
        [
            Cell(4, [3, 3.1], [0.2, 0.2]), Cell(4, [5, 5.1], [0.1, 0.1]), Cell(4, [double.NaN, 1], null),
            Cell(6, [2, 2.1], null), Cell(6, [2, 2.1], null),
        ];
        var judged = ComparisonVerdicts.Judge(cells);
        Assert.Equal([ComparisonStanding.Best, ComparisonStanding.Behind, null, ComparisonStanding.Best, ComparisonStanding.Undecided], judged.Select(c => c.DistanceVerdict?.Standing));
        Assert.Equal([ComparisonStanding.Behind, ComparisonStanding.Best, null, null, null], judged.Select(c => c.EndpointVerdict?.Standing));
    }

    private static IReadOnlyList<ComparisonCellSummary> Judge(params double[][] values) => ComparisonVerdicts.Judge([.. values.Select(v => Cell(4, v, null))]);

    private static ComparisonCellSummary Cell(int number, double[] distances, double[]? endpoints) => new()
    {
        Number = number,
        Schedule = "karras",
        Source = ScheduleSource.Standard,
        Solver = "euler",
        Steps = number,
        EvaluationsPerImage = number,
        Sigmas = [80, 0.002],
        Terminal = ScheduleTerminal.SigmaMin,
        Distance = Values(distances),
        Endpoint = endpoints is null ? null : Values(endpoints),
        Seconds = 1,
    };

    private static DistanceSummary Values(double[] values) => new([.. values.Select((v, i) => new SeedRangeSummary(i * 10, 10, v))]);
}
