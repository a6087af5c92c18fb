using FewStep.Noise;
using FewStep.Reporting;
using FewStep.Experiments;

namespace FewStep.Tests.Reporting;

public class RunHeadlineTests
{
    [Fact]
    public void A_gain_is_stated_with_evaluations_percent_and_ranges()
    {
        string sentence = First([10, 12, 11], [5, 6, 5.5]);
        Assert.Contains("With 4 network evaluations an image, ours + tuned reaches FD (x) 5.50 ± 0.50, against 11.0 ± 1.0 for theirs with 4", sentence);
        Assert.EndsWith("50 % lower (better), 95 % interval of the difference \u22126.74 to \u22124.26 over 3 seed ranges.", sentence); // 5.5 less and more 4.303 x 0.5 / sqrt(3), Student's t with 2 degrees of freedom
    }

    [Fact]
    public void A_loss_is_stated_as_a_loss() => Assert.EndsWith("100 % higher (worse), 95 % interval of the difference +4.26 to +6.74 over 3 seed ranges.", First([5, 6, 5.5], [10, 12, 11]));

    [Fact]
    public void Ranges_that_disagree_make_no_clear_difference() => Assert.EndsWith("no clear difference (95 % interval of the difference \u22125.95 to +6.95 over 3 seed ranges).", First([5, 6, 5.5], [4, 5, 9]));

    [Fact]
    public void Equal_numbers_make_no_clear_difference() => Assert.Contains("no clear difference", First([5, 6], [5, 6]));

    [Fact]
    public void Lower_in_every_range_is_not_enough() => Assert.Contains("no clear difference", First([5, 6, 5.5], [4.9, 1, 5.3]));

    [Fact]
    public void One_range_says_nothing_of_the_spread() => Assert.EndsWith("no clear difference (from one range of seeds only, so the spread is unknown).", First([5], [4]));

    [Fact]
    public void Different_sample_sizes_are_not_compared()
    {
        DistanceSummary small = new([new(0, 100, 9)]), large = new([new(0, 5000, 3)]);
        Assert.Equal(HeadlineVerdict.NotComparable, DistanceComparison.Of(small, large).HeadlineVerdict);
        Assert.Equal(HeadlineVerdict.NotComparable, DistanceComparison.Of(small, null).HeadlineVerdict);
        Assert.Equal(HeadlineVerdict.NotComparable, DistanceComparison.Of(small, new([new(0, 100, double.NaN)])).HeadlineVerdict);
    }

    [Fact]
    public void Different_seeds_are_judged_by_their_spreads()
    {
        DistanceSummary a = new([new(0, 10, 5), new(10, 10, 5.2)]), near = new([new(50, 10, 4.8), new(60, 10, 5.1)]), far = new([new(50, 10, 2), new(60, 10, 2.1)]);
        Assert.Equal(HeadlineVerdict.Unclear, DistanceComparison.Of(a, near).HeadlineVerdict);
        Assert.Equal(HeadlineVerdict.Better, DistanceComparison.Of(a, far).HeadlineVerdict);
        Assert.Equal(HeadlineVerdict.Worse, DistanceComparison.Of(far, a).HeadlineVerdict);
        Assert.Equal(HeadlineVerdict.Unclear, DistanceComparison.Of(new([new(0, 10, 5)]), new([new(10, 10, 1)])).HeadlineVerdict);
    }

    [Fact]
    public void A_better_standard_schedule_than_the_baseline_is_named()
    {
        string all = string.Join(' ', RunHeadline.Sentences(SampleSummary.Full()));
        Assert.Contains("The best standard schedule within the same evaluations is uniform t with FD 33.80 ± 0.46: the result is 84 % lower (better), 95 % interval", all);
        Assert.Contains("The schedule alone, with the weights untouched, reaches 27.10 ± 0.37: the result is 80 % lower (better), 95 % interval", all);
        Assert.Contains("The teacher (Karras, 8 Heun steps, 16 network evaluations an image) reaches 3.850 ± 0.064.", all);
    }

    [Fact]
    public void A_rival_that_is_as_good_at_no_greater_cost_is_a_warning()
    {
        Assert.Empty(RunRivals.Warnings(SampleSummary.Full()));
        RunSummary summary = Two([9, 10, 11], [5, 6, 5.5]);
        var (baseline, result) = (summary.Evaluations[0], summary.Evaluations[1]);
        RunSummary With(EvaluationSummary rival, ScheduleSource source) => summary with
        {
            Schedules = [new("ours", ScheduleSource.Phase1, [1, 0.1], FewStep.Noise.ScheduleTerminal.SigmaMin), new("rival", source, [1, 0.1], FewStep.Noise.ScheduleTerminal.SigmaMin)],
            Evaluations = [baseline, result, rival],
        };
        string worse = Assert.Single(RunRivals.Warnings(With(Evaluation("rival", null, EvaluationRole.Comparison, [4, 5, 4.5]), ScheduleSource.Standard)));
        Assert.StartsWith("The result is worse than rival with the weights untouched", worse);
        Assert.Contains("FD 4.50 ± 0.50 against 5.50 ± 0.50", worse);
        string level = Assert.Single(RunRivals.Warnings(With(Evaluation("ours", null, EvaluationRole.Comparison, [5.1, 5.6, 5.6]), ScheduleSource.Given)));
        Assert.StartsWith("The result is not shown to be better than ours with the weights untouched", level);
        Assert.Single(RunRivals.Warnings(With(Evaluation("rival", null, EvaluationRole.Comparison, [4, 5, 4.5]), ScheduleSource.Phase1)));
        Assert.Empty(RunRivals.Warnings(With(Evaluation("rival", null, EvaluationRole.Comparison, [4, 5, 4.5]) with { EvaluationsPerImage = 8 }, ScheduleSource.Standard)));
        Assert.Single(RunRivals.Warnings(Two([5, 6], [7, 8])));
    }

    [Fact]
    public void The_teacher_is_not_named_twice()
    {
        RunSummary summary = Two([5], [4]);
        summary = summary with { Evaluations = [.. summary.Evaluations, Evaluation("teacher: karras, 8 steps", null, EvaluationRole.Teacher, [3])] };
        Assert.Contains(RunHeadline.Sentences(summary), s => s.StartsWith("The teacher (karras, 8 steps, 4 network evaluations an image)", StringComparison.Ordinal));
    }

    [Fact]
    public void More_evaluations_than_the_baseline_are_admitted()
    {
        RunSummary summary = Two([5], [4]);
        summary = summary with { Evaluations = [summary.Evaluations[0], summary.Evaluations[1] with { EvaluationsPerImage = 8 }] };
        Assert.Contains(RunHeadline.Sentences(summary), s => s.Contains("uses more evaluations than the baseline"));
    }

    [Fact]
    public void Missing_parts_are_said_to_be_missing()
    {
        RunSummary two = Two([5], [4]);
        Assert.Contains("no baseline", RunHeadline.Sentences(two with { Evaluations = [two.Evaluations[1]] }).First());
        Assert.Contains("no result", RunHeadline.Sentences(two with { Evaluations = [two.Evaluations[0]] }).Single());
        Assert.Contains("reaches FD (x) no value", RunHeadline.Sentences(Two([5], [double.NaN])).First());
    }

    private static string First(double[] before, double[] after) => RunHeadline.Sentences(Two(before, after)).First();

    private static RunSummary Two(double[] before, double[] after) => SampleSummary.Bare() with
    {
        Evaluations = [Evaluation("theirs", null, EvaluationRole.Baseline, before), Evaluation("ours", "tuned", EvaluationRole.Result, after)],
    };

    private static EvaluationSummary Evaluation(string schedule, string? tuning, EvaluationRole role, double[] values) => new()
    {
        Schedule = schedule,
        Tuning = tuning,
        Solver = "euler",
        Steps = 4,
        EvaluationsPerImage = 4,
        Role = role,
        Distance = new([.. values.Select((v, i) => new SeedRangeSummary(100 * i, 100, v))]),
    };
}
