using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Solvers;
using static FewStep.Tests.Search.SearchModels;

namespace FewStep.Tests.Search;

public sealed class GitsOptimizerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void CostsOfGaussianDataHaveAClosedForm()
    {
        const double c = 0.5;
        using var denoiser = GaussianMixtureDenoiser.Gaussian(Shape, 0, c);
        var fine = StandardSchedule.Karras().Create(6, 0.002, 80);
        var seeds = SeedList.Of(5, SeedPlan.FirstSearched);
        var paired = Context(denoiser, batchSize: 3).Sampling();
        var distance = new JumpCosts(paired, new EulerSolver(), fine, seeds, GitsMetric.Distance, null, Token);
        var deviation = new JumpCosts(paired, new EulerSolver(), fine, seeds, GitsMetric.Deviation, null, Token);
        using var latents = Latents.Draw([.. seeds], Shape);
        double norm = latents.flatten(1).norm(1).mean().item<float>();

        // Every step multiplies the state, so the teacher's states are multiples of the latents.
        double Factor(double s, double next) => (next / s) + ((1 - (next / s)) * c * c / ((c * c) + (s * s)));
        double state = 80;
        for (int i = 0; i < fine.Steps; i++)
        {
            double teacher = state;
            for (int j = i + 1; j <= fine.Steps; j++)
            {
                teacher *= Factor(fine.Sigmas[j - 1], fine.Sigmas[j]);
                Assert.Equal(norm * Math.Abs((state * Factor(fine.Sigmas[i], fine.Sigmas[j])) - teacher), distance.Mean[i][j], 2e-4 * norm);
                Assert.Equal(0, deviation.Mean[i][j], 2e-4 * norm); // all on one straight line
            }

            state *= Factor(fine.Sigmas[i], fine.Sigmas[i + 1]);
        }
    }

    [Theory]
    [InlineData(GitsMetric.Deviation)]
    [InlineData(GitsMetric.Distance)]
    public void TheLossIsTheLeastOfAllWays(object metricGiven)
    {
        var metric = (GitsMetric)metricGiven;
        using var denoiser = Mixture();
        var options = new GitsOptions { Points = 9, Latents = 6, Metric = metric };
        var results = new GitsOptimizer(Context(denoiser), options).Search(Request(4, 8, 1), cancellation: Token);
        var fine = StandardSchedule.Karras().Create(8, 0.002, 80);
        var costs = new JumpCosts(
            Context(denoiser).Sampling(), new EulerSolver(), fine, SeedList.Of(6, SeedPlan.FirstSearched), metric, null, Token);
        foreach (var result in results)
        {
            double best = Paths(9, result.Schedule.Steps).Min(path => costs.PathCosts(path, 1.15).Average());
            Assert.Equal(best, result.Loss.Value, 1e-9 * (1 + Math.Abs(best)));
            Assert.True(result.Loss.HalfWidth > 0);
        }

        Assert.Equal([4, 8, 1], results.Select(r => r.Schedule.Steps));
        Assert.Equal(fine.Sigmas, results[1].Schedule.Sigmas); // as many steps as the teacher: the teacher's own
        Assert.Equal([80, 0.002], results[2].Schedule.Sigmas);
    }

    [Fact]
    public void EvaluationsAreCountedAndServeAllSteps()
    {
        using var denoiser = Mixture();
        var counter = new CountingDenoiser(denoiser);
        var results = ScheduleOptimizerCatalog.Find("gits:1.2").Create(Context(counter)).Search(Request(3, 5), cancellation: Token);
        Assert.Equal(60 * 6, counter.Images);
        Assert.All(results, r => Assert.Equal(60 * 6, r.NetworkEvaluations));
        Assert.All(results, r => Assert.Contains("coefficient 1.2", r.Objective, StringComparison.Ordinal));
    }

    [Fact]
    public void BatchesDoNotMatter()
    {
        using var denoiser = Mixture();
        var whole = new GitsOptimizer(Context(denoiser)).Search(Request(5), cancellation: Token)[0];
        var parts = new GitsOptimizer(Context(denoiser, batchSize: 4)).Search(Request(5), cancellation: Token)[0];
        Assert.Equal(whole.Schedule.Sigmas, parts.Schedule.Sigmas);
        Assert.Equal(whole.Loss.Value, parts.Loss.Value, 1e-5 * Math.Abs(whole.Loss.Value));
    }

    [Fact]
    public void BadOptionsAndCancellation()
    {
        using var denoiser = Mixture();
        Assert.Contains("at most 60 steps", Assert.Throws<InvalidInputException>(
            () => new GitsOptimizer(Context(denoiser)).Search(Request(61), cancellation: Token)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => new GitsOptimizer(Context(denoiser), new GitsOptions { Coefficient = 0 }));
        Assert.Throws<InvalidInputException>(() => new GitsOptimizer(Context(denoiser, images: 1)));
        Assert.Throws<OperationCanceledException>(
            () => new GitsOptimizer(Context(denoiser)).Search(Request(4), cancellation: new CancellationToken(true)));
    }
}
