using FewStep.Denoising;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Tests.Denoising;

namespace FewStep.Tests.Search;

public sealed class MeasuredAmplificationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(3)]
    public void OnGaussianDataItIsTheFlowsOwnContraction(double c)
    {
        var denoiser = new LinearDenoiser(new ImageShape(1, 4, 4), c);
        var usual = new MeasuredAmplificationEstimator(denoiser, new() { Latents = 2 }).Measure(80, 0.002, cancellation: Token);
        Assert.Equal((80, 0.002, 1), (usual.Sigmas[0], usual.Sigmas[^1], usual.Values[^1]));
        var fine = new MeasuredAmplificationEstimator(denoiser, new() { Latents = 1, Steps = 40 }).Measure(80, 0.002, cancellation: Token);
        AssertExact(usual, s => Math.Sqrt(((c * c) + (0.002 * 0.002)) / ((c * c) + (s * s))), 5e-3);
        AssertExact(fine, s => Math.Sqrt(((c * c) + (0.002 * 0.002)) / ((c * c) + (s * s))), 1e-3);
    }

    [Fact]
    public void APerturbationLiesAlongTheDenoisersLastChange()
    {
        double[] stds = [4, 0.5, 0.03];
        var denoiser = new DiagonalGaussianDenoiser(stds);
        var options = new MeasuredAmplificationOptions { Latents = 3, Steps = 80, FirstSeed = 7 };
        var measured = new MeasuredAmplificationEstimator(denoiser, options).Measure(80, 0.002, cancellation: Token);
        using var scope = NewDisposeScope();
        var latents = Latents.Draw([7, 8, 9], denoiser.Shape, float64);
        double[][] squares = [.. Enumerable.Range(0, 3).Select(b => latents[b].square().sum([1, 2]).data<double>().ToArray())];
        for (int level = 0; level < measured.Sigmas.Length - 1; level++)
        {
            double s = measured.Sigmas[level];
            double before = level == 0 ? 80 * Math.Pow(0.002 / 80, 1 / 80.0) : s * Math.Pow(80 / 0.002, 1 / 80.0);
            // On the exact path D of a channel is c^2 / (c^2 + s^2) x(s), x(s) = x0 sqrt((c^2 + s^2) / (c^2 + 80^2)).
            double[] change = [.. stds.Select(c =>
                c * c * ((1 / Math.Sqrt((c * c) + (s * s))) - (1 / Math.Sqrt((c * c) + (before * before)))) / Math.Sqrt((c * c) + 6400))];
            double[] growth = [.. stds.Select(c => ((c * c) + (0.002 * 0.002)) / ((c * c) + (s * s)))];
            double mean = squares.Average(
                x => change.Select((d, j) => d * d * x[j] * growth[j]).Sum() / change.Select((d, j) => d * d * x[j]).Sum());
            Assert.Equal(1, measured.Values[level] / Math.Sqrt(mean), 5e-3);
        }
    }

    [Theory]
    [InlineData(20, 6, 1566)]
    [InlineData(8, 2, 2 * (9 + (2 * (9 + 7 + 5 + 3))))]
    public void EvaluationsAreCountedAndFew(int steps, int latents, int evaluations)
    {
        var counter = new CountingDenoiser(new LinearDenoiser(new ImageShape(1, 2, 2), 0.5));
        var options = new MeasuredAmplificationOptions { Steps = steps, Latents = latents };
        Assert.Equal(
            evaluations, new MeasuredAmplificationEstimator(counter, options).Measure(80, 0.002, cancellation: Token).NetworkEvaluations);
        Assert.Equal(evaluations, counter.Images);
        var guided = new TwiceDenoiser(new CountingDenoiser(new LinearDenoiser(new ImageShape(1, 2, 2), 0.5)));
        Assert.Equal(2 * evaluations,
            new MeasuredAmplificationEstimator(guided, options).Measure(80, 0.002, cancellation: Token).NetworkEvaluations);
    }

    [Fact]
    public void NeitherTheBatchNorTheSizeOfThePerturbationMattersOnSmoothData()
    {
        using var mixture = Mixture();
        var options = new MeasuredAmplificationOptions { Latents = 5, Steps = 12, Perturbation = 0.1 };
        var whole = new MeasuredAmplificationEstimator(mixture, options).Measure(40, 0.01, cancellation: Token);
        var single = new MeasuredAmplificationEstimator(mixture, options with { BatchSize = 2 }).Measure(40, 0.01, cancellation: Token);
        var smaller = new MeasuredAmplificationEstimator(mixture, options with { Perturbation = 0.03 })
            .Measure(40, 0.01, cancellation: Token);
        for (int k = 0; k < whole.Values.Length; k++)
        {
            Assert.Equal(1, single.Values[k] / whole.Values[k], 1e-4);
            Assert.Equal(1, smaller.Values[k] / whole.Values[k], 0.1);
        }
    }

    [Fact]
    public void ADenoiserThatNeverChangesShrinksWithTheNoise()
    {
        using var point = GaussianMixtureDenoiser.Gaussian(new ImageShape(1, 2, 2), 0.3, 0);
        var measured = new MeasuredAmplificationEstimator(point, new() { Latents = 2 }).Measure(80, 0.002, cancellation: Token);
        AssertExact(measured, s => 0.002 / s, 2e-3);
    }

    [Fact]
    public void NothingLeaksAndImpossibleOptionsAreRefused()
    {
        using var mixture = Mixture();
        var estimator = new MeasuredAmplificationEstimator(mixture, new() { Latents = 2, Steps = 8 });
        estimator.Measure(80, 0.002, cancellation: Token);
        long live = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        estimator.Measure(80, 0.002, cancellation: Token);
        Assert.Equal(live, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        var e = Assert.Throws<InvalidInputException>(() => new MeasuredAmplificationEstimator(
            mixture, new() { Latents = 0, Steps = 9, Perturbation = double.NaN, BatchSize = 1, FirstSeed = -1 }));
        Assert.All(
            ["latents", "even", "perturbation", "batch", "seeds"], word => Assert.Contains(word, e.Message, StringComparison.Ordinal));
        Assert.Throws<InvalidInputException>(() => estimator.Measure(0.002, 80, cancellation: Token));
        Assert.Throws<OperationCanceledException>(() => estimator.Measure(80, 0.002, cancellation: new CancellationToken(true)));
        Assert.Contains("not finite", Assert.Throws<InvalidInputException>(() => new MeasuredAmplificationEstimator(new LinearDenoiser(
            new ImageShape(1, 2, 2), double.NaN)).Measure(80, 0.002, cancellation: Token)).Message, StringComparison.Ordinal);
    }

    private static GaussianMixtureDenoiser Mixture() =>
        new(new GaussianMixture(
            new ImageShape(1, 1, 4), [0.5, 0.3, 0.2], [[1, 0, -1, 0.5], [-1, 0.5, 0, 0], [0, -1, 1, -0.5]], [0.2, 0.3, 0.1]), 0.01, 40);

    private static void AssertExact(MeasuredAmplification measured, Func<double, double> exact, double tolerance)
    {
        for (int k = 0; k < measured.Sigmas.Length; k++)
            Assert.Equal(1, measured.Values[k] / exact(measured.Sigmas[k]), tolerance);
    }
}
