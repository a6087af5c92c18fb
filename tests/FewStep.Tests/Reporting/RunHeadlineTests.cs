using FewStep.Reporting;
using FewStep.Runs;

namespace FewStep.Tests.Reporting;

public class RunHeadlineTests
{
    [Fact]
    public void A_gain_is_stated_with_evaluations_percent_and_ranges()
    {
        string sentence = First([10, 12, 11], [5, 6, 5.5]);
        Assert.Contains("With 4 network evaluations an image, ours + tuned reaches FD (x) 5.50 ± 0.50, against 11.0 ± 1.0 for theirs with 4", sentence);
        Assert.EndsWith("50 % lower (better), in all 3 seed ranges.", sentence);
    }

    [Fact]
    public void A_loss_is_stated_as_a_loss() => Assert.EndsWith("100 % higher (worse), in all 3 seed ranges.", First([5, 6, 5.5], [10, 12, 11]));

    [Fact]
    public void Ranges_that_disagree_make_no_clear_difference() => Assert.EndsWith("no clear difference (lower in 2 of 3 seed ranges).", First([5, 6, 5.5], [4, 5, 9]));

    [Fact]
    public void Equal_numbers_make_no_clear_difference() => Assert.Contains("no clear difference", First([5], [5]));

    [Fact]
    public void One_range_says_nothing_of_the_spread() => Assert.EndsWith("from one range of seeds only, so the spread is unknown.", First([5], [4]));

    [Fact]
    public void Different_sample_sizes_are_not_compared()
    {
        DistanceSummary small = new([new(0, 100, 9)]), large = new([new(0, 5000, 3)]);
        Assert.Equal(Verdict.NotComparable, DistanceComparison.Of(small, large).Verdict);
        Assert.Equal(Verdict.NotComparable, DistanceComparison.Of(small, null).Verdict);
        Assert.Equal(Verdict.NotComparable, DistanceComparison.Of(small, new([new(0, 100, double.NaN)])).Verdict);
    }

    [Fact]
    public void Different_seeds_are_judged_by_their_spreads()
    {
        DistanceSummary a = new([new(0, 10, 5), new(10, 10, 5.2)]), near = new([new(50, 10, 4.8), new(60, 10, 5.1)]), far = new([new(50, 10, 2), new(60, 10, 2.1)]);
        Assert.Equal(Verdict.Unclear, DistanceComparison.Of(a, near).Verdict);
        Assert.Equal(Verdict.Better, DistanceComparison.Of(a, far).Verdict);
        Assert.Equal(Verdict.Worse, DistanceComparison.Of(far, a).Verdict);
        Assert.Equal(Verdict.Unclear, DistanceComparison.Of(new([new(0, 10, 5)]), new([new(10, 10, 1)])).Verdict);
    }

    [Fact]
    public void A_better_standard_schedule_than_the_baseline_is_named()
    {
        string all = string.Join(' ', RunHeadline.Sentences(SampleSummary.Full()));
        Assert.Contains("The best standard schedule within the same evaluations is uniform t with FD 33.80 ± 0.46.", all);
        Assert.Contains("The schedule alone, with the weights untouched, reaches 27.10 ± 0.37.", all);
        Assert.Contains("The teacher (Karras, 8 Heun steps, 16 network evaluations an image) reaches 3.850 ± 0.064.", all);
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
