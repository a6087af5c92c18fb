using FewStep.Denoising;
using FewStep.Fitting;
using FewStep.Matching;
using FewStep.Metrics;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tests.Search;

namespace FewStep.Tests.Matching;

public sealed class MomentDistanceTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void The_equations_lead_to_the_real_mean_and_deviation()
    {
        using var scope = NewDisposeScope();
        using var denoiser = SearchModels.Mixture();
        using var latents = new FitLatents(denoiser, 8, 8, 8, null, 0);
        const double deviation = 0.51, realDeviation = 0.5, mean = -0.02, realMean = 0.01;
        using var real = FeatureStatistics.FromMoments(
            1000, full(3, realMean, dtype: float64), diag(full(3, realDeviation * realDeviation, dtype: float64)));
        using var objective = new MomentDistance(denoiser, latents, x => x, real);
        // Of mean zero and of the identity as covariance, exactly.
        var z = cat([eye(3, dtype: float64), -eye(3, dtype: float64)], 0) * Math.Sqrt(3);
        using var equations = objective.Equations();
        foreach (int half in new[] { 0, 1 })
        {
            var part = z.narrow(0, 3 * half, 3);
            equations.Add(half, stack([part, ones_like(part)], 1), part * deviation + mean);
        }

        var (normal, gradient) = equations.Finish();
        double[] step = [.. normal.Solve(-gradient)];
        Assert.Equal(realDeviation - deviation, step[0], 1e-4);
        Assert.Equal(realMean - mean, step[1], 1e-5);
    }

    [Theory]
    [InlineData(1, "euler")]
    [InlineData(2, "euler")]
    [InlineData(3, "ipndm:2")]
    public void On_gaussian_data_a_match_finds_the_datas_mean_and_deviation(int steps, string solver)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        using var gaussian = GaussianMixtureDenoiser.Gaussian(SearchModels.Shape, 0.3, 0.5);
        var denoiser = new CountingDenoiser(gaussian);
        using var latents = new FitLatents(denoiser, 512, 256, 64, null, 0);
        using var real = new FeatureStatistics(4);
        real.Add((randn([20_000, 4], generator: generator) * 0.5) + 0.3);
        using var objective = new MomentDistance(denoiser, latents, x => x.flatten(1), real);
        var (schedule, plain) = (StandardSchedule.Karras().Create(steps, 0.002, 80), SolverCatalog.Find(solver));
        var start = new FittedSolver(plain, schedule,
            Enumerable.Range(0, steps).Select(i => StepCorrection.None with { Differences = [.. new double[i]] }));
        var found = new JointRefinement(denoiser, plain, FitCorrections.Differences | FitCorrections.Slope, latents, objective).Refine(
            schedule, start, 20, null, Token);
        Assert.True(found.Iterations > 0);
        Assert.InRange(found.After.HeldOut, 0, 0.2 * found.Before.HeldOut);
        var ends = new PairedSampling(denoiser).Endpoints(found.Solver, found.Schedule, SeedList.Of(1000), Token);
        Assert.Equal(0.3, ends.mean().item<float>(), 0.03);
        Assert.Equal(0.5, ends.std().item<float>(), 0.03);
    }

    [Fact]
    public void A_sampler_that_explodes_is_as_far_as_can_be()
    {
        using var denoiser = SearchModels.Mixture();
        using var latents = new FitLatents(denoiser, 8, 8, 8, null, 0);
        using var real = FeatureStatistics.FromMoments(1000, zeros(4, dtype: float64), eye(4, dtype: float64));
        using var distance = new MomentDistance(denoiser, latents, x => isfinite(x).all().item<bool>() ? x.flatten(1) : null, real);
        var schedule = StandardSchedule.Karras().Create(20, 0.002, 80);
        var solver = new FittedSolver(new EulerSolver(), schedule, Enumerable.Repeat(new StepCorrection { Slope = 1000 }, 20));
        Assert.Equal((double.PositiveInfinity, double.PositiveInfinity), distance.Value(solver, schedule, Token));
    }

    [Fact]
    public void Of_many_features_those_directions_count_that_vary_most()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        using var denoiser = SearchModels.Mixture();
        using var latents = new FitLatents(denoiser, 512, 256, 64, null, 0);
        var project = randn([4, 300], generator: generator);
        using var real = new FeatureStatistics(300);
        real.Add(randn([2000, 4], generator: generator).mm(project));
        using var all = new MomentDistance(denoiser, latents, x => x.flatten(1).mm(project), real);
        var schedule = StandardSchedule.Karras().Create(4, 0.002, 80);
        var (_, heldOut) = all.Value(new EulerSolver(), schedule, Token);
        using var own = new FeatureStatistics(300);
        own.Add(new PairedSampling(denoiser).Endpoints(new EulerSolver(), schedule, SeedList.Of(256, 512), Token).view(256, 4).mm(project));
        Assert.Equal(FrechetDistance.Between(own, real), heldOut, 1e-3 * heldOut);
    }
}
