using FewStep.Denoising;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Tests.Search;

public sealed class AmplifiedLossOptimizerTests
{
    private const double C = 0.5;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void OnGaussianDataItFindsTheSchedulesOfTheExactAmplification()
    {
        var denoiser = new LinearDenoiser(new ImageShape(1, 3, 3), C);
        var request = new ScheduleSearchRequest { Steps = [3, 5, 9], SigmaMax = 80, SigmaMin = 0.002 };
        var optimizer = new AmplifiedLossOptimizer(Curve(), denoiser, new() { Latents = 2 });
        var found = optimizer.Search(request, cancellation: Token);
        var exact = new DiscretizationLossOptimizer(new GaussianLossCurve(C), [new ExactAmplification()])
            .Search(request, cancellation: Token);
        for (int k = 0; k < 3; k++)
        {
            double loss = DiscretizationLoss.Evaluate(new GaussianLossCurve(C), new ExactAmplification(), found[k].Schedule);
            Assert.InRange(loss / exact[k].Loss.Value, 1, 1.001);
            Assert.All(found[k].Schedule.Sigmas.Zip(exact[k].Schedule.Sigmas), pair => Assert.Equal(1, pair.First / pair.Second, 0.03));
            Assert.Equal("discretization loss, amplification", found[k].Objective);
            Assert.NotNull(found[k].Loss.HalfWidth);
        }
    }

    [Fact]
    public void TheLedgerHoldsCurveAndAmplificationAndOneMeasurementServesAllSteps()
    {
        var counter = new CountingDenoiser(new LinearDenoiser(new ImageShape(1, 2, 2), C));
        var optimizer = new AmplifiedLossOptimizer(Curve(), counter);
        var first = optimizer.Search(new ScheduleSearchRequest { Steps = [4, 6], SigmaMax = 80, SigmaMin = 0.002 }, cancellation: Token);
        Assert.All(first, r => Assert.Equal(1000 + 1566, r.NetworkEvaluations));
        optimizer.Search(new ScheduleSearchRequest { Steps = [8], SigmaMax = 80, SigmaMin = 0.002 }, cancellation: Token);
        Assert.Equal(1566, counter.Images);
        optimizer.Search(new ScheduleSearchRequest { Steps = [8], SigmaMax = 40, SigmaMin = 0.002 }, cancellation: Token);
        Assert.Equal(2 * 1566, counter.Images);
    }

    [Fact]
    public void TheCatalogueOffersIt()
    {
        var choice = ScheduleOptimizerCatalog.Find("phase1:amplification");
        var context = new ScheduleSearchContext
        {
            Denoiser = new LinearDenoiser(new ImageShape(1, 2, 2), C),
            Solver = new EulerSolver(),
            LossCurve = Curve,
            Images = 2,
            BatchSize = 1
        };
        var optimizer = choice.Create(context);
        Assert.Equal("phase1:amplification", optimizer.Name);
        var result = optimizer.Search(new ScheduleSearchRequest { Steps = [4], SigmaMax = 80, SigmaMin = 0.002 }, cancellation: Token)[0];
        Assert.Equal(1000 + (2 * 261), result.NetworkEvaluations);
        Assert.Throws<InvalidInputException>(() => ScheduleOptimizerCatalog.Find("phase1:amplified"));
        Assert.Throws<InvalidInputException>(() => choice.Create(context with { LossCurve = null }));
    }

    private static LossCurve Curve()
    {
        double[] sigmas = [.. Enumerable.Range(0, 97).Select(i => 0.002 * Math.Pow(80 / 0.002, i / 96.0))];
        sigmas[^1] = 80;
        double[] loss = [.. sigmas.Select(new GaussianLossCurve(C).Loss)];
        double[][] covariance =
            [.. Enumerable.Range(0, 97).Select(k => Enumerable.Range(0, 97).Select(l => k == l ? 1e-8 * loss[k] * loss[k] : 0).ToArray())];
        return new LossCurve(sigmas, loss, covariance, 100, new LossCurveOrigin(1000, 1, LossCurveStop.PrecisionReached, 0.01, 0));
    }

    private sealed class ExactAmplification : INoiseWeighting
    {
        public string Name => "exact";

        public double Value(double sigma) => Math.Asinh(C / sigma);

        public double Derivative(double sigma) => -C / (sigma * Math.Sqrt((C * C) + (sigma * sigma)));
    }
}
