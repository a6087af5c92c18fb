using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Solvers;
using static FewStep.Tests.Search.SearchModels;

namespace FewStep.Tests.Search;

public sealed class OptimalStepsOptimizerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void AsManyStepsAsTheTeacherAreTheTeachers()
    {
        using var denoiser = Mixture();
        var result = new OptimalStepsOptimizer(Context(denoiser), 7).Search(Request(7), cancellation: Token)[0];
        Assert.Equal(StandardSchedule.Karras().Create(7, 0.002, 80).Sigmas, result.Schedule.Sigmas);
        Assert.Equal(0, result.Loss.Value, 1e-10);
    }

    [Fact]
    public void EveryStudentIsTheBestThatItsPredecessorsAllow()
    {
        using var denoiser = Mixture();
        const int teacherSteps = 6;
        var results = new OptimalStepsOptimizer(Context(denoiser), teacherSteps).Search(Request(2, 3), cancellation: Token);
        var fine = StandardSchedule.Karras().Create(teacherSteps, 0.002, 80);
        var seeds = SeedList.Of(6, SeedPlan.FirstSearched);
        var paired = Context(denoiser).Sampling();

        // Distance to the teacher at a path's last point, by runs of the sampler.
        double Distance(int[] path)
        {
            using var scope = NewDisposeScope();
            int[] whole = [.. Enumerable.Range(0, path[^1] + 1)];
            var student = paired.Endpoints(new EulerSolver(), new SamplingSchedule(path.Select(i => fine.Sigmas[i])), seeds, Token);
            var teacher = paired.Endpoints(new EulerSolver(), new SamplingSchedule(whole.Select(i => fine.Sigmas[i])), seeds, Token);
            return (student - teacher).square().mean().item<float>();
        }

        // Two steps: the first leaves no choice of state, so the recursion is the best of all ways.
        int[] two = Paths(teacherSteps + 1, 2).MinBy(Distance)!;
        Assert.Equal(two.Select(i => fine.Sigmas[i]), results[0].Schedule.Sigmas);
        Assert.Equal(Distance(two), results[0].Loss.Value, 1e-6);

        // Three steps: at each point the best of two steps, continued in the best way.
        int[] three = Enumerable.Range(2, teacherSteps - 2)
            .Select(at => (int[])[.. Paths(at + 1, 2).MinBy(Distance)!, teacherSteps])
            .MinBy(Distance)!;
        Assert.Equal(three.Select(i => fine.Sigmas[i]), results[1].Schedule.Sigmas);
        Assert.Equal(Distance(three), results[1].Loss.Value, 1e-6);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void EvaluationsAreCounted(int steps)
    {
        using var denoiser = Mixture();
        var counter = new CountingDenoiser(denoiser);
        var result = ScheduleOptimizerCatalog.Find(
            "optimal-steps:20").Create(Context(counter)).Search(Request(steps), cancellation: Token)[0];
        int perLatent = 20 + Enumerable.Range(2, steps - 1).Sum(k => 20 - k + 1);
        Assert.Equal(6 * perLatent, counter.Images);
        Assert.Equal(counter.Images, result.NetworkEvaluations);
    }

    [Fact]
    public void BatchesDoNotMatterAndNothingIsLeftBehind()
    {
        using var denoiser = Mixture();
        var whole = new OptimalStepsOptimizer(Context(denoiser), 20).Search(Request(2, 4), cancellation: Token);
        long before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var parts = new OptimalStepsOptimizer(Context(denoiser, batchSize: 4), 20).Search(Request(2, 4), cancellation: Token);
        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(whole[i].Schedule.Sigmas, parts[i].Schedule.Sigmas);
            Assert.Equal(whole[i].Loss.Value, parts[i].Loss.Value, 1e-5 * whole[i].Loss.Value);
        }
    }

    [Fact]
    public void BadOptionsAndCancellation()
    {
        using var denoiser = Mixture();
        Assert.Throws<InvalidInputException>(() => new OptimalStepsOptimizer(Context(denoiser), 0));
        Assert.Contains("at most as many", Assert.Throws<InvalidInputException>(() =>
            new OptimalStepsOptimizer(Context(denoiser), 5).Search(Request(6), cancellation: Token)).Message, StringComparison.Ordinal);
        Assert.Throws<OperationCanceledException>(
            () => new OptimalStepsOptimizer(Context(denoiser)).Search(Request(4), cancellation: new CancellationToken(true)));
    }
}
