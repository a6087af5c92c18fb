using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Solvers;
using static FewStep.Tests.Search.SearchModels;

namespace FewStep.Tests.Search;

public sealed class PropagatedOptimizerTests
{
    private static readonly double[] Stds = [1.2, 0.5, 0.2, 0.05];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // One Euler step multiplies x by cos(a - b) cos(a) / cos(b) with a, b = arctan(s / c) at its ends, so equal angles lose least.
    [Theory]
    [InlineData(0.5, false)]
    [InlineData(0.5, true)]
    [InlineData(2, false)]
    public void OnGaussianDataTheNodesAreEquidistantInTheArctangent(double std, bool pixels)
    {
        using var denoiser = GaussianMixtureDenoiser.Gaussian(Shape, 0, std);
        var options = new PropagatedOptions { Cells = 80, Latents = 2, Pixels = pixels };
        var request = Request(2, 3, 6) with { SigmaMax = 5, SigmaMin = 0.1 }; // a fine grid where the angle changes
        foreach (var result in new PropagatedOptimizer(Context(denoiser), options).Search(request, cancellation: Token))
        {
            double first = Math.Atan(5 / std), last = Math.Atan(0.1 / std);
            int steps = result.Schedule.Steps;
            for (int i = 0; i <= steps; i++)
                Assert.Equal(first + ((last - first) * i / steps), Math.Atan(result.Schedule.Sigmas[i] / std), 1e-3 * first);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(10)]
    public void OnAnisotropicGaussianDataTheSamplesEndAlmostAsNearAsTheyCan(int steps)
    {
        var found = new PropagatedOptimizer(
            Context(new DiagonalGaussianDenoiser(Stds)), new PropagatedOptions { Cells = 60, Latents = 16, Pixels = true })
            .Search(Request(steps), cancellation: Token)[0];
        double Best(Func<double[], double> cost, out double[] sigmas)
        {
            double[] start = [.. StandardSchedule.Karras().Create(steps, 0.002, 80).Sigmas.Select(s => -Math.Log(s))];
            var best = new DmNonUniformDescent(points => cost([.. points.Select(p => Math.Exp(-p))])).Descend(start, 500, Token);
            sigmas = [.. best.Points.Select(p => Math.Exp(-p))];
            return best.Value;
        }

        double least = Best(MeanSquare, out _), error = MeanSquare([.. found.Schedule.Sigmas]);
        Best(DiscretizationLoss, out double[] onLoss);
        double onTrainingLoss = MeanSquare(onLoss);
        Assert.InRange(error, least * (1 - 1e-9), 1.02 * least);
        Assert.True(error - least < 0.15 * (onTrainingLoss - least), $"{error}, on the training loss {onTrainingLoss}, the least {least}");
    }

    [Fact]
    public void EndsArePredictedWhereTheDenoiserIsLinear()
    {
        var denoiser = new DiagonalGaussianDenoiser(Stds);
        var fine = StandardSchedule.Karras().Create(80, 0.002, 80);
        var seeds = SeedList.Of(3, SeedPlan.FirstSearched);
        using var euler = new LinearisedEuler(denoiser, fine, seeds, 64, null, Token);
        foreach (int[] path in (int[][])[[0, 40], [0, 12, 27, 40], [0, 5, 9, 13, 20, 26, 33, 40]])
        {
            var ends = new PairedSampling(denoiser).Endpoints(
                new EulerSolver(), new SamplingSchedule(path.Select(i => euler.Grid.Sigmas[i])), seeds, Token);
            var predicted = euler.Ends(path);
            double error = (predicted - ends).norm().item<float>() / (euler.Teacher - ends).norm().item<float>();
            Assert.True(error < 0.01, $"{error} after {path.Length - 1} steps");
        }
    }

    [Fact]
    public void ALatentTakesAsManyEvaluationsAsThereAreFineStepsAndPairsOfCells()
    {
        var denoiser = new CountingDenoiser(Mixture());
        var results = new PropagatedOptimizer(Context(denoiser), new PropagatedOptions { Cells = 10, Latents = 3 })
            .Search(Request(4, 1, 2), cancellation: Token);
        Assert.Equal(3 * (20 + (10 * 9 / 2)), denoiser.Images);
        Assert.Equal([4, 1, 2], results.Select(r => r.Schedule.Steps));
        Assert.Equal([80, 0.002], results[1].Schedule.Sigmas);
        Assert.All(results, r => Assert.Equal(denoiser.Images, r.NetworkEvaluations));
        Assert.All(results, r => Assert.True(r.Loss.HalfWidth > 0));
        Assert.True(new PropagatedOptions() is { Latents: var latents, Cells: var cells }
            && latents * ((2 * cells) + (cells * (cells - 1) / 2)) <= 60 * 256); // GITS'
    }

    [Fact]
    public void BatchesDoNotMatter()
    {
        using var denoiser = Mixture();
        var options = new PropagatedOptions { Cells = 16, Latents = 9 };
        ScheduleSearchResult Found(int batchSize)
            => new PropagatedOptimizer(Context(denoiser, batchSize: batchSize), options).Search(Request(5), cancellation: Token)[0];
        var (whole, parts) = (Found(64), Found(3));
        Assert.All(whole.Schedule.Sigmas.Zip(parts.Schedule.Sigmas), pair => Assert.Equal(pair.First, pair.Second, 1e-3 * pair.First));
        Assert.Equal(whole.Loss.Value, parts.Loss.Value, 1e-3 * whole.Loss.Value);
        Assert.Equal(whole.NetworkEvaluations, parts.NetworkEvaluations);
    }

    [Fact]
    public void ThePathFoundIsTheBestOfAll()
    {
        static double Cost(int[] path) => path.Zip(path.Skip(1), (a, b) => Math.Pow(b - a, 2) * (1 + (0.3 * a))).Sum();
        for (int steps = 1; steps <= 5; steps++)
        {
            var search = new GridPathSearch(12, Cost);
            Assert.Equal(Paths(13, steps).Min(Cost), Cost(search.Minimise(steps, Token).Path), 1e-9);
        }

        var between = new GridPathSearch(40, p => Enumerable.Range(1, 3).Sum(k => Math.Pow(p[k] - (9.7 * k), 2))).Minimise(4, Token);
        Assert.Equal([0, 10, 19, 29, 40], between.Path);
        Assert.All(Enumerable.Range(1, 3), k => Assert.Equal(9.7 * k, between.Places[k], 1e-9));
    }

    [Fact]
    public void BadOptionsAndCancellation()
    {
        using var denoiser = Mixture();
        Assert.Contains("at most 36 steps", Assert.Throws<InvalidInputException>(
            () => new PropagatedOptimizer(Context(denoiser)).Search(Request(37), cancellation: Token)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => new PropagatedOptimizer(Context(denoiser), new PropagatedOptions { Cells = 7 }));
        Assert.Throws<InvalidInputException>(() => new PropagatedOptimizer(Context(denoiser), new PropagatedOptions { Latents = 1 }));
        Assert.Throws<OperationCanceledException>(
            () => new PropagatedOptimizer(Context(denoiser)).Search(Request(4), cancellation: new CancellationToken(true)));
    }

    private static double DiscretizationLoss(double[] sigmas) => sigmas.Zip(sigmas.Skip(1),
        (s, next) => Math.Log(s / next) * Stds.Average(c => new GaussianLossCurve(c).Loss(s))).Sum();

    // At the end of Euler's steps against the exact flow, of which each dimension is a number.
    private static double MeanSquare(double[] sigmas) => Stds.Average(c =>
    {
        double exact = Math.Sqrt(((c * c) + (sigmas[^1] * sigmas[^1])) / ((c * c) + (sigmas[0] * sigmas[0])));
        double euler = sigmas.Zip(sigmas.Skip(1), (s, next) => 1 + ((next - s) * s / ((c * c) + (s * s)))).Aggregate((a, b) => a * b);
        return (euler - exact) * (euler - exact) * sigmas[0] * sigmas[0];
    });
}
