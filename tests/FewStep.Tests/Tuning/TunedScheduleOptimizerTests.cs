using FewStep.Tuning;
using FewStep.Networks;
using FewStep.Search;

namespace FewStep.Tests.Tuning;

public sealed class TunedScheduleOptimizerTests : FolderTests
{
    private static readonly TuningOptions Brief = new()
    { Updates = 4, Batch = 4, LearningRate = 5e-3, EvaluationInterval = 4, HeldOutCount = 4, TeacherBatches = 1, SnapshotFractions = [] };

    private static readonly TunedScheduleOptions Small = new() { Tuning = Brief, Candidates = 9, JudgedLatents = 70, JudgeSteps = 30 };

    private readonly NetworkDenoiser _model = TinyModel.Create();

    public override void Dispose()
    {
        _model.Dispose();
        base.Dispose();
    }

    [Fact]
    public void Its_result_is_the_best_candidate_and_every_evaluation_is_counted()
    {
        var optimizer = new TunedScheduleOptimizer(_model, Small);
        var found = optimizer.Search(Request(3), cancellation: TestContext.Current.CancellationToken).Single();
        Assert.Equal(9, optimizer.Candidates.Count);
        Assert.Equal(optimizer.Candidates.Min(c => c.Distance), found.Loss.Value);
        Assert.Equal(optimizer.Candidates.MinBy(c => c.Distance)!.Sigmas, found.Schedule.Sigmas);
        Assert.Equal(9, optimizer.Candidates.DistinctBy(c => string.Join(' ', c.Sigmas)).Count());
        Assert.Equal((70 * 2 * 30) + optimizer.Candidates.Sum(c => c.Evaluations), found.NetworkEvaluations);

        // A batch of paths is used four times; held-out data is measured before and after.
        Assert.All(
            optimizer.Candidates, c => Assert.Equal((4 * 3 * 6) + (4 * 3 * 4) + (4 * 3 * 6) + (2 * 4 * 3) + (70 * 3), c.Evaluations));
    }

    [Fact]
    public void Without_learning_it_finds_the_schedule_that_ends_nearest_to_the_exact_solution()
    {
        // The untrained network is the exact denoiser of Gaussian data: Euler's end and the exact one are multiples of the latents.
        var options = Small with
        { Tuning = Brief with { Updates = 1, LearningRate = 1e-12 }, Candidates = 60, SmallestMove = 0.02, JudgeSteps = 100 };
        var found = new TunedScheduleOptimizer(_model, options).Search(Request(2), cancellation: TestContext.Current.CancellationToken)
            .Single();
        double best = Enumerable.Range(1, 9999).Select(i => 0.002 * Math.Exp(Math.Log(80 / 0.002) * i / 10_000))
            .MinBy(s => Error([80, s, 0.002]));
        Assert.InRange(Math.Log(found.Schedule.Sigmas[1] / best), -0.05, 0.05);
        Assert.Contains("moves fell below", found.StopReason, StringComparison.Ordinal);

        static double Error(double[] sigmas)
        {
            double c2 = TinyModel.SigmaData * TinyModel.SigmaData, exact = 80 * Math.Sqrt((c2 + 0.002 * 0.002) / (c2 + (80 * 80))), x = 80;
            for (int i = 0; i + 1 < sigmas.Length; i++)
            {
                double r = sigmas[i + 1] / sigmas[i];
                x *= r + ((1 - r) * c2 / (c2 + (sigmas[i] * sigmas[i])));
            }

            return Math.Abs(x - exact);
        }
    }

    [Fact]
    public void An_interrupted_search_goes_on_to_the_same_result()
    {
        string path = _folder.File("candidates.json");
        var whole = new TunedScheduleOptimizer(_model, Small).Search(Request(3), cancellation: TestContext.Current.CancellationToken)
            .Single();
        using var cancel = new CancellationTokenSource();
        var stopper = new Stopper(cancel, 4);
        Assert.ThrowsAny<OperationCanceledException>(
            () => new TunedScheduleOptimizer(_model, Small, path).Search(Request(3), stopper, cancel.Token));
        var resumed = new TunedScheduleOptimizer(_model, Small, path);
        Assert.Equal(4, resumed.Candidates.Count);
        var found = resumed.Search(Request(3), cancellation: TestContext.Current.CancellationToken).Single();
        Assert.Equal(whole.Schedule.Sigmas, found.Schedule.Sigmas);
        Assert.Equal((whole.Loss, whole.NetworkEvaluations), (found.Loss, found.NetworkEvaluations));
        var error = Assert.Throws<InvalidInputException>(() => new TunedScheduleOptimizer(_model, Small with { JudgeSteps = 31 }, path));
        Assert.Contains("another model or other options", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Impossible_options_are_named_together()
    {
        var error = Assert.Throws<InvalidInputException>(
            () => new TunedScheduleOptimizer(_model, Small with { Candidates = 0, SmallestMove = 9, Starts = [], JudgedLatents = 1 }));
        foreach (string part in new[] { "candidates", "smallest move", "begin at", "judge by" })
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    private static ScheduleSearchRequest Request(int steps) => new() { Steps = [steps], SigmaMin = 0.002, SigmaMax = 80 };

    private sealed class Stopper(CancellationTokenSource cancel, int after) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            if (value is { Unit: "candidates" } && value.Done == after)
                cancel.Cancel();
        }
    }
}
