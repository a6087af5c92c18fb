using FewStep.Experiments;

namespace FewStep.Tests.Experiments;

public class VerdictsTests
{
    [Fact]
    public void Paired_differences_decide_where_the_spreads_overlap()
    {
        // The values spread by 5, the differences by 0.1.
        var trials = Judge(false, [10, 15, 20], [11, 16.1, 20.9], [9, 16, 20.2]);
        Assert.Equal([Standing.Best, Standing.Behind, Standing.Undecided], trials.Select(c => c.Verdicts["fd"].Standing));
        var behind = trials[1].Verdicts["fd"];
        Assert.Equal(1, behind.Difference, 12);
        // Student's two-sided 95 % quantile of 2 degrees of freedom is 4.3027; the standard deviation of (1, 1.1, 0.9) is 0.1.
        Assert.Equal(4.30265 * 0.1 / Math.Sqrt(3), behind.HalfWidth!.Value, 5);
    }

    [Fact]
    public void Where_higher_is_better_the_highest_is_best()
    {
        var trials = Judge(true, [0.5, 0.6, 0.7], [0.4, 0.51, 0.6]);
        Assert.Equal([Standing.Best, Standing.Behind], trials.Select(c => c.Verdicts["fd"].Standing));
        Assert.True(trials[1].Verdicts["fd"].Difference < 0);
    }

    [Fact]
    public void A_single_range_decides_nothing()
    {
        var trials = Judge(false, [10], [100]);
        Assert.Equal(Standing.Best, trials[0].Verdicts["fd"].Standing);
        Assert.Equal(new Verdict(Standing.Undecided, 90, null), trials[1].Verdicts["fd"]);
    }

    [Fact]
    public void Each_number_and_each_figure_has_its_own_best_and_teachers_and_what_failed_have_no_verdict()
    {
        TrialSummary[] trials =
        [
            Trial(4, [3, 3.1], [0.2, 0.2]), Trial(
                4, [5, 5.1], [0.1, 0.1]), Trial(4, [double.NaN, 1], null), Trial(6, [2, 2.1], null), Trial(6, [2, 2.1], null),
            Trial(4, [1, 1], [0, 0]) with { Role = TrialRole.Teacher },
        ];
        var judged = Verdicts.Judge(trials, [Figure("fd"), Figure("endpoint")]);
        Assert.Equal([Standing.Best, Standing.Behind, null, Standing.Best, Standing.Undecided, null], judged.Select(t => Of(t, "fd")));
        Assert.Equal([Standing.Behind, Standing.Best, null, null, null, null], judged.Select(t => Of(t, "endpoint")));
    }

    private static Standing? Of(TrialSummary trial, string figure) => trial.Verdicts.GetValueOrDefault(figure)?.Standing;

    private static IReadOnlyList<TrialSummary> Judge(bool higher, params double[][] values) =>
        Verdicts.Judge([.. values.Select(v => Trial(4, v, null))], [Figure("fd") with { HigherIsBetter = higher }]);

    private static FigureSummary Figure(string key) => new(key, key, key, "none");

    private static TrialSummary Trial(int number, double[] distances, double[]? endpoints)
    {
        var figures = new Dictionary<string, FigureValues> { ["fd"] = Values(distances) };
        if (endpoints is not null)
            figures["endpoint"] = Values(endpoints);
        return new TrialSummary
        {
            Name = "a trial",
            Number = number,
            Schedule = "karras",
            Solver = "euler",
            Steps = number,
            EvaluationsPerImage = number,
            Figures = figures
        };
    }

    private static FigureValues Values(double[] values) => new([.. values.Select((v, i) => new RangeValue(i * 10, 10, v))]);
}
