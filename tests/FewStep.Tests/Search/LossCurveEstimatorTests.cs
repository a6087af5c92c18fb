using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Search;
using TorchSharp;

namespace FewStep.Tests.Search;

public sealed class LossCurveEstimatorTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private const double C = 0.5;
    private static readonly ImageShape Shape = new(1, 2, 2);

    private static LossCurveOptions Few => new() { Points = 12, MinimumImages = 48, MaximumImages = 48, Steps = [4] };

    // Over many data sets the truth lies in 95 of 100 intervals, of single points and of a schedule's loss; for 150 independent runs of
    // 0.95, fewer than 135 or none outside would be rare (0.5 %).
    [Fact]
    public void ConfidenceIntervalsCoverTheTruth()
    {
        var denoiser = new LinearDenoiser(Shape, C);
        var exact = new GaussianLossCurve(C);
        var weighting = new PowerWeighting(0);
        const int runs = 150;
        int pointsCovered = 0;
        int lossesCovered = 0;
        for (int run = 0; run < runs; run++)
        {
            var curve = new LossCurveEstimator(denoiser, new SyntheticImages(Shape, 0, C, 1000, (ulong)(run + 1) << 40),
                Few with { Seed = run }).Estimate(cancellation: Token);
            // Nodes on the grid, so that nothing but sampling separates estimate and truth.
            var schedule = new SamplingSchedule([curve.Sigmas[11], curve.Sigmas[8], curve.Sigmas[6], curve.Sigmas[0]]);
            double truth = DiscretizationLoss.Evaluate(exact, weighting, schedule);
            pointsCovered += Covers(curve.Point(run % 12), exact.Loss(curve.Sigmas[run % 12]));
            lossesCovered += Covers(DiscretizationLoss.Estimate(curve, weighting, schedule), truth);
        }

        Assert.InRange(pointsCovered, 135, 149);
        Assert.InRange(lossesCovered, 135, 149);
    }

    // The truth is what the found schedule loses on the curve of infinitely many images at the same noise levels. Means of 60 runs differ
    // by less than a third but in some 1 of 100 cases.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void TheRegretIsWhatSchedulesLoseForTheirSample(double power)
    {
        var denoiser = new LinearDenoiser(Shape, C);
        var weighting = new PowerWeighting(power);
        var request = new ScheduleSearchRequest { Steps = [4], SigmaMax = 80, SigmaMin = 0.002 };
        double estimated = 0;
        double lost = 0;
        for (int run = 0; run < 60; run++)
        {
            var options = Few with { Seed = run, RelativeRegret = 1e-9, Weightings = [weighting] };
            var curve = new LossCurveEstimator(denoiser, new SyntheticImages(Shape, 0, C, 1000, (ulong)(run + 1) << 40), options)
                .Estimate(cancellation: Token);
            var exact = new FittedLossCurve(curve.Sigmas.AsSpan(), curve.Sigmas.Select(new GaussianLossCurve(C).Loss).ToArray());
            var best = new DiscretizationLossOptimizer(exact, [weighting]).Search(request, cancellation: Token)[0];
            var found = new DiscretizationLossOptimizer(curve.Fitted, [weighting]).Search(request, cancellation: Token)[0].Schedule;
            estimated += curve.Origin.RelativeRegret!.Value;
            lost += (DiscretizationLoss.Evaluate(exact, weighting, found) - best.Loss.Value) / best.Bound!.Value;
        }

        Assert.InRange(estimated / lost, 0.7, 1.4);
    }

    [Fact]
    public void ItStopsWhenSchedulesAreGoodEnoughThoughLossesAreNotKnown()
    {
        var denoiser = new LinearDenoiser(Shape, C);
        var options = new LossCurveOptions { Points = 16, MinimumImages = 16, MaximumImages = 4096, Steps = [3, 6] };
        LossCurve Measured(double regret) => new LossCurveEstimator(
            denoiser, new SyntheticImages(Shape, 0, C, 5000), options with { RelativeRegret = regret }).Estimate(cancellation: Token);
        var (rough, good) = (Measured(0.01), Measured(0.002));
        Assert.Equal(LossCurveStop.PrecisionReached, rough.Origin.Stop);
        Assert.Equal(LossCurveStop.PrecisionReached, good.Origin.Stop);
        Assert.InRange(rough.Origin.RelativeRegret!.Value, 1e-4, 0.01);
        Assert.InRange(good.Origin.RelativeRegret!.Value, 1e-5, 0.002);
        Assert.True(good.Images > rough.Images);
        Assert.True(rough.Origin.RelativeHalfWidth > 0.03);
    }

    [Fact]
    public void ItStopsAtTheStatedPrecisionAndCountsEvaluations()
    {
        var denoiser = new LinearDenoiser(Shape, C);
        var network = new CountingDenoiser(denoiser);
        var options = new LossCurveOptions
        {
            Points = 16,
            RelativePrecision = 0.05,
            MinimumImages = 16,
            MaximumImages = 4096,
            Steps = [3, 6],
            Weightings = [new PowerWeighting(0), new PowerWeighting(1)]
        };
        var reports = new List<WorkProgress>();
        var curve = new LossCurveEstimator(network, new SyntheticImages(Shape, 0, C, 5000), options).Estimate(new Recorder(reports), Token);
        Assert.Equal(LossCurveStop.PrecisionReached, curve.Origin.Stop);
        Assert.InRange(curve.Origin.RelativeHalfWidth, 0.02, 0.05);
        Assert.InRange(curve.Images, 17, 4095);
        Assert.Equal(2 * 16 * curve.Images, curve.Origin.NetworkEvaluations);
        Assert.Equal(network.Images, curve.Origin.NetworkEvaluations);
        Assert.Equal(curve.Images, reports[^1].Done);
        var results = new DiscretizationLossOptimizer(curve, options.Weightings)
            .Search(new ScheduleSearchRequest { Steps = options.Steps, SigmaMax = 80, SigmaMin = 0.002 }, cancellation: Token);
        Assert.All(results, r => Assert.InRange(r.Loss.RelativeHalfWidth!.Value, 0, 0.051));
        Assert.All(results, r => Assert.Equal(curve.Origin.NetworkEvaluations, r.NetworkEvaluations));

        var fewer = new LossCurveEstimator(denoiser, new SyntheticImages(Shape, 0, C, 5000), options with { RelativePrecision = 0.2 })
            .Estimate(cancellation: Token);
        Assert.True(fewer.Images < curve.Images);
    }

    [Fact]
    public void ItSaysWhenImagesRanOutOrTheLimitCame()
    {
        using var denoiser = GaussianMixtureDenoiser.Gaussian(Shape, 0, C);
        var options = Few with { RelativePrecision = 1e-6, MinimumImages = 10, MaximumImages = 20 };
        var limited = new LossCurveEstimator(denoiser, new SyntheticImages(Shape, 0, C, 500), options).Estimate(cancellation: Token);
        Assert.Equal((LossCurveStop.ImageLimitReached, 20L), (limited.Origin.Stop, limited.Images));
        var few = new SyntheticImages(Shape, 0, C, 9);
        var exhausted = new LossCurveEstimator(denoiser, few, options).Estimate(cancellation: Token);
        Assert.Equal((LossCurveStop.ImagesExhausted, 9L, 9), (exhausted.Origin.Stop, exhausted.Images, few.Seen.Count));
    }

    [Fact]
    public void TheBatchSizeChangesNothing()
    {
        var denoiser = new LinearDenoiser(Shape, C);
        LossCurve Measured(int batch) => new LossCurveEstimator(
            denoiser, new SyntheticImages(Shape, 0, C, 300), Few with { BatchSize = batch, Seed = 5 }).Estimate(cancellation: Token);
        var reference = Measured(64);
        foreach (int batch in (int[])[2, 7, 1000])
        {
            var curve = Measured(batch);
            for (int k = 0; k < curve.Sigmas.Length; k++)
            {
                // Vectorised float32 kernels may round a batch's tail differently.
                Assert.Equal(1, curve.Loss[k] / reference.Loss[k], 1e-6);
                Assert.Equal(1, curve.StandardError[k] / reference.StandardError[k], 1e-5);
            }
        }

        var otherSeed = new LossCurveEstimator(denoiser, new SyntheticImages(Shape, 0, C, 300), Few with { Seed = 6 })
            .Estimate(cancellation: Token);
        Assert.NotEqual(reference.Loss[5], otherSeed.Loss[5]);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, true)]
    public void ItSaysWhereTheModelIsWorseThanTheMeanImage(double scale, bool worse)
    {
        // Told that the data are wider than they are, a denoiser answers with too much of the noise wherever that is most of what it sees.
        var curve = new LossCurveEstimator(new LinearDenoiser(Shape, scale * C), new SyntheticImages(Shape, 0, C, 300), Few)
            .Estimate(cancellation: Token);
        Assert.Equal(1, curve.Origin.MeanImageLoss!.Value / (C * C), 0.2);
        string[] remarks = [.. curve.Remarks()];
        Assert.Equal(worse, remarks.Any(r => r.Contains("times that of always answering with the mean image", StringComparison.Ordinal)));
    }

    [Fact]
    public void NoiseIsPairedWithItsOpposite()
    {
        using var gaussian = GaussianMixtureDenoiser.Gaussian(Shape, 0, C);
        var spy = new Spy(gaussian);
        var images = new SyntheticImages(Shape, 0, C, 50);
        new LossCurveEstimator(spy, images, Few with { MinimumImages = 8, MaximumImages = 8, BatchSize = 16, Points = 8 })
            .Estimate(cancellation: Token);
        Assert.Equal(8, spy.Inputs.Count);
        for (int k = 0; k < 8; k++)
        {
            for (int value = 0; value < 32; value++)
            {
                // (x0 + s n) + (x0 - s n) = 2 x0 at every level, and the noise is the same at every level.
                double clean = 0.5 * (spy.Inputs[k].X[value] + spy.Inputs[k].X[value + 32]);
                double noise = 0.5 * (spy.Inputs[k].X[value] - spy.Inputs[k].X[value + 32]) / spy.Inputs[k].Sigma;
                Assert.Equal(0.5 * (spy.Inputs[2].X[value] + spy.Inputs[2].X[value + 32]), clean, 2e-5);
                Assert.Equal(0.5 * (spy.Inputs[2].X[value] - spy.Inputs[2].X[value + 32]) / spy.Inputs[2].Sigma, noise,
                    1e-4 + (1e-7 / spy.Inputs[k].Sigma));
            }
        }
    }

    [Fact]
    public void LabelsGoWithTheirImages()
    {
        var mixture = new GaussianMixture(
            Shape, [0.5, 0.5], [[.. Enumerable.Repeat(-0.5, 4)], [.. Enumerable.Repeat(0.5, 4)]], [0.1, 0.1], [0, 1]);
        using var denoiser = new GaussianMixtureDenoiser(mixture);
        var spy = new Spy(denoiser);
        var images = new SyntheticImages(Shape, 0, 0.1, 40, classes: 2);
        new LossCurveEstimator(spy, images, Few with { MinimumImages = 8, MaximumImages = 8, BatchSize = 16 })
            .Estimate(cancellation: Token);
        long[] labels = spy.Inputs[0].Labels!;
        Assert.Equal(16, labels.Length);
        Assert.Equal(labels[..8], labels[8..]);
        Assert.Equal(images.Seen.Select(index => index % 2), labels[..8]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void NoTensorStaysAlive(bool foreign)
    {
        using var denoiser = GaussianMixtureDenoiser.Gaussian(Shape, 0, C);
        void Run() => new LossCurveEstimator(denoiser, new SyntheticImages(Shape, 0, C, 100, classes: 3, foreign: foreign), Few)
            .Estimate(cancellation: Token);
        Run();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Run();
        Run();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void CancellationStopsBetweenCalls()
    {
        using var denoiser = GaussianMixtureDenoiser.Gaussian(Shape, 0, C);
        using var source = new CancellationTokenSource();
        int calls = 0;
        var network = new Spy(denoiser)
        {
            OnCall = () =>
            {
                calls++;
                source.Cancel();
            },
        };
        var estimator = new LossCurveEstimator(network, new SyntheticImages(Shape, 0, C, 100), Few);
        Assert.Throws<OperationCanceledException>(() => estimator.Estimate(cancellation: source.Token));
        Assert.Equal(1, calls);
    }

    [Fact]
    public void UnusableInputIsNamed()
    {
        using var denoiser = GaussianMixtureDenoiser.Gaussian(Shape, 0, C);
        var images = new SyntheticImages(Shape, 0, C, 100);
        Assert.Contains("1x3x2", Assert.Throws<InvalidInputException>(
            () => new LossCurveEstimator(denoiser, new SyntheticImages(new(1, 3, 2), 0, C, 9))).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => new LossCurveEstimator(denoiser, new SyntheticImages(Shape, 0, C, 7)));
        Assert.Throws<InvalidInputException>(() => new LossCurveEstimator(denoiser, images, Few with { SigmaMax = 1e-4 }));
        string all = Assert.Throws<InvalidInputException>(
            () => new LossCurveEstimator(denoiser, images, Few with { Points = 1, Steps = [0], RelativePrecision = double.NaN })).Message;
        Assert.True(all.Contains("points", StringComparison.Ordinal) && all.Contains("steps", StringComparison.Ordinal)
            && all.Contains("precision", StringComparison.Ordinal), all);
        var broken = new Spy(denoiser) { Scale = double.NaN };
        Assert.Contains("sigma", Assert.Throws<InvalidInputException>(
            () => new LossCurveEstimator(broken, images, Few).Estimate(cancellation: Token)).Message, StringComparison.Ordinal);
    }

    private static int Covers(LossEstimate estimate, double truth) => estimate.Low <= truth && truth <= estimate.High ? 1 : 0;

    private sealed class Recorder(List<WorkProgress> reports) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => reports.Add(value);
    }

    private sealed class Spy(IDenoiser inner) : IDenoiser
    {
        public List<(float[] X, double Sigma, long[]? Labels)> Inputs { get; } = [];

        public Action? OnCall { get; init; }

        public double Scale { get; init; } = 1;

        public ImageShape Shape => inner.Shape;

        public int Classes => inner.Classes;

        public double SigmaMin => inner.SigmaMin;

        public double SigmaMax => inner.SigmaMax;

        public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
        {
            OnCall?.Invoke();
            Inputs.Add((x.data<float>().ToArray(), sigma.item<float>(), labels?.data<long>().ToArray()));
            return inner.Denoise(x, sigma, labels) * Scale;
        }
    }
}
