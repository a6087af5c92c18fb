using FewStep.Experiments;
using FewStep.Reporting;
using FewStep.Reporting.Sections;

namespace FewStep.Tests.Reporting;

public class HeadlineTests
{
    [Fact]
    public void The_result_is_held_against_the_best_untuned_sampler_at_the_same_evaluations()
    {
        string[] sentences = Sentences(SampleSummary.Full());
        Assert.Matches("^With 4 network evaluations an image, Phase 1, power 0 \\+ trajectory with euler reaches FD \\(garment features\\) "
            + "5\\.\\d+ ± 0\\.\\d+, against 27\\.\\d+ ± 0\\.\\d+ of the best untuned sampler at the same evaluations, Phase 1, power 0 "
            + "with euler: the result is 80 % lower \\(better; paired two-sided 95 % interval", sentences[0]);
        Assert.StartsWith(
            "The baseline (Karras, rho 7 with euler, 4 network evaluations an image) reaches 55.", sentences[1], StringComparison.Ordinal);
        Assert.StartsWith(
            "The teacher (Karras, rho 7 with heun, 16 network evaluations an image) reaches 3.", sentences[2], StringComparison.Ordinal);
        Assert.Equal("There are 3 warnings further down.", sentences[^1]); // Karras + trajectory is better, and two of its own
    }

    [Fact]
    public void A_gain_is_stated_with_evaluations_percent_and_ranges()
    {
        string sentence = First([10, 12, 11], [5, 6, 5.5]);
        Assert.Contains("With 4 network evaluations an image, ours + tuned reaches FD (garment features) 5.50 ± 0.50, against 11.0 ± 1.0 "
            + "of the best untuned sampler at the same evaluations, theirs", sentence, StringComparison.Ordinal);
        // 5.5 less and more 4.303 x 0.5 / sqrt(3), Student's t with 2 degrees of freedom
        Assert.EndsWith("50 % lower (better; paired two-sided 95 % interval of the difference \u22126.74 to \u22124.26 over 3 seed "
            + "ranges).", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_is_stated_as_a_loss() =>
        Assert.EndsWith("100 % higher (worse; paired two-sided 95 % interval of the difference +4.26 to +6.74 over 3 seed ranges).",
            First([5, 6, 5.5], [10, 12, 11]), StringComparison.Ordinal);

    [Fact]
    public void Higher_is_better_where_the_figure_says_so()
    {
        Summary summary = Two([5, 6, 5.5], [10, 12, 11]);
        summary = summary with { Figures = [summary.Figures[0] with { HigherIsBetter = true }] };
        Assert.Contains("100 % higher (better; paired", Sentences(summary)[0], StringComparison.Ordinal);
        Assert.Empty(WarningsSection.Sentences(new ReportPage(summary)));
    }

    [Fact]
    public void Ranges_that_disagree_show_no_difference() =>
        Assert.EndsWith("the result is not shown to differ (paired two-sided 95 % interval of the difference \u22125.95 to +6.95 over 3 "
            + "seed ranges).", First([5, 6, 5.5], [4, 5, 9]), StringComparison.Ordinal);

    [Theory]
    [InlineData(new[] { 5.0, 6 }, new[] { 5.0, 6 })]
    [InlineData(new[] { 5.0, 6, 5.5 }, new[] { 4.9, 1, 5.3 })] // lower in every range is not enough
    public void Equal_numbers_show_no_difference(double[] before, double[] after)
        => Assert.Contains("not shown to differ", First(before, after), StringComparison.Ordinal);

    [Fact]
    public void One_range_is_said_to_show_nothing() =>
        Assert.EndsWith(
            "not shown to differ (there is one range of seeds only, so the spread is unknown).", First([5], [4]), StringComparison.Ordinal);

    [Fact]
    public void Different_seeds_or_sizes_are_not_compared()
    {
        Summary two = Two([5, 6], [1, 2]);
        string Judged(FigureValues values) => TrialComparison.Of(
            two.Trials[0], two.Trials[1] with { Figures = new Dictionary<string, FigureValues> { ["fd"] = values } }, two.Figures[0]).Words;
        Assert.Contains("numbers of images differ", Judged(new([new(0, 5000, 3)])), StringComparison.Ordinal);
        Assert.Contains("the same seeds", Judged(new([new(7, 100, 3), new(107, 100, 3)])), StringComparison.Ordinal);
        Assert.Contains("no value", Judged(new([new(0, 100, double.NaN)])), StringComparison.Ordinal);
    }

    [Fact]
    public void A_rival_that_is_as_good_at_no_greater_cost_is_a_warning()
    {
        Summary summary = Two([9, 10, 11], [5, 6, 5.5]);
        IReadOnlyList<string> With(params TrialSummary[] rivals)
            => WarningsSection.Sentences(new ReportPage(summary with { Trials = [.. summary.Trials, .. rivals] }));
        TrialSummary rival = Trial("rival", null, TrialRole.Comparison, [4, 5, 4.5]);
        Assert.Empty(With());
        string worse = Assert.Single(With(rival));
        Assert.StartsWith("The result is worse than rival, which costs no more: FD 5.50 ± 0.50 against 4.50 ± 0.50; 22 % higher (worse;",
            worse, StringComparison.Ordinal);
        string level = Assert.Single(With(Trial("rival", "tuned", TrialRole.Comparison, [5.1, 5.6, 5.6])));
        Assert.StartsWith("The result is not shown to be better than rival + tuned", level, StringComparison.Ordinal);
        Assert.Empty(With(rival with { EvaluationsPerImage = 8 }));
        Assert.Empty(With(rival with { Role = TrialRole.Teacher }));
        Assert.Single(With(rival with { EvaluationsPerImage = 2 }));
    }

    [Fact]
    public void More_evaluations_than_the_baseline_are_admitted()
    {
        Summary summary = Two([5], [4]);
        summary = summary with { Trials = [summary.Trials[0], summary.Trials[1] with { EvaluationsPerImage = 8 }] };
        Assert.Contains("no untuned sampler was measured at the same evaluations", Sentences(summary)[0], StringComparison.Ordinal);
        Assert.Contains(Sentences(summary), s => s.Contains("It uses more evaluations than the baseline", StringComparison.Ordinal));
    }

    [Fact]
    public void Missing_parts_are_said_to_be_missing()
    {
        Summary two = Two([5], [4]);
        Assert.EndsWith(
            "nothing was measured to compare it with.", Sentences(two with { Trials = [two.Trials[1]] })[0], StringComparison.Ordinal);
        Assert.StartsWith("At 4 steps, theirs reaches FD (garment features) 5.00.", Sentences(two with { Trials = [two.Trials[0]] })[0],
            StringComparison.Ordinal);
        Assert.Contains("reaches FD (garment features) –", Sentences(Two([5], [double.NaN]))[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_result_the_best_at_each_number_is_named_by_every_figure()
    {
        string[] sentences = Sentences(SampleSummary.Comparison());
        Assert.All(sentences.Take(4), s => Assert.Matches("^At \\d+ evaluations, .* with .* has the best FD, .* \\((ahead of all|not "
            + "decided against) .*\\)\\. .* has the best endpoint RMS\\.$", s));
        Assert.Contains(sentences,
            s => s.StartsWith("The teacher (karras with heun, 64 network evaluations an image) reaches 3.", StringComparison.Ordinal));
        Assert.StartsWith(
            "Of the stored images, ours has the best FD, 3.50 ± 0.1", Sentences(SampleSummary.Stored())[0], StringComparison.Ordinal);
    }

    private static string First(double[] before, double[] after) => Sentences(Two(before, after))[0];

    private static string[] Sentences(Summary summary) =>
        [.. new HeadlineSection().Blocks(new ReportPage(summary))
            .SelectMany(b => b switch { TextBlock t => [t.Text], ListBlock l => l.Items, _ => Array.Empty<string>() })];

    private static Summary Two(double[] before, double[] after) => SampleSummary.Bare() with
    {
        ShownNumber = 4,
        Seeds = new(0, 100, before.Length),
        Figures = [SampleSummary.Full().Figures[0]],
        Trials = [Trial("theirs", null, TrialRole.Baseline, before), Trial("ours", "tuned", TrialRole.Result, after)],
    };

    private static TrialSummary Trial(string schedule, string? tuning, TrialRole role, double[] values) => new()
    {
        Name = $"{schedule} {tuning}",
        Number = 4,
        Schedule = schedule,
        Tuning = tuning,
        Solver = "euler",
        Steps = 4,
        EvaluationsPerImage = 4,
        Role = role,
        Figures = new Dictionary<string, FigureValues> { ["fd"] = new([.. values.Select((v, i) => new RangeValue(100 * i, 100, v))]) },
    };
}
