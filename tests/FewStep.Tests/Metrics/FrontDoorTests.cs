using FewStep.Denoising;
using FewStep.Metrics;
using FewStep.Models;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tests.Metrics;

public sealed class FrontDoorTests : FolderTests
{
    private static readonly ImageShape Shape = new(1, 8, 8);
    private readonly string _classifier;
    private readonly Model _model = new(
        new Shrinking(0.5), new ModelSummary { Name = "shrinking", Hash = "a", Preconditioning = "none", Shape = Shape }, null);

    public FrontDoorTests()
    {
        _classifier = _folder.File("classifier");
        using var network = new FeatureClassifier(new ClassifierConfiguration(Shape, 4, [16, 24], 1, "FD (stripes)"), 3);
        FeatureClassifierFolder.Save(network, _classifier);
    }

    public override void Dispose()
    {
        _model.Dispose();
        base.Dispose();
    }

    [Fact]
    public async Task A_sampler_is_measured_as_experiments_measure_it()
    {
        using var images = new StripedImages(60, 1);
        using var metric = Metric.Frechet(images, _classifier);
        var sampler = Karras(3);
        var told = new List<WorkProgress>();
        var result = metric.Measure(_model, sampler, 130, 2, new Told(told), TestContext.Current.CancellationToken);
        using var network = FeatureClassifierFolder.Load(_classifier);
        using var reference = FeatureReference.Measure(images, network);
        var expected = SeedRange.Consecutive(0, 130, 2).Select(range => Frechet(range, sampler, network, reference)).ToList();
        Assert.Equal(expected, result.Spreads[0].Values);
        Assert.Equal((expected.Average(), 3, 130), (result.Mean, result.EvaluationsPerImage, result.Images));
        Assert.Equal(FormattableString.Invariant($"FD {result.Mean:G4} ± {result.StandardDeviation:G4}"), result.ToString());
        Assert.Equal(["features of real images", "samples"], told.Select(p => p.Stage).Distinct());
        Assert.Equal(260, told[^1].Done);
        var again = await metric.MeasureAsync(_model, sampler, 130, 2, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(result.Spreads[0].Values, again.Spreads[0].Values);
        Assert.Equal(reference.ImagesHash, metric.Figures[0].ReferenceHash);
    }

    [Fact]
    public void Threads_that_share_a_metric_get_the_same_figures()
    {
        using var images = new StripedImages(60, 1);
        using var metric = Metric.Open("kid", images, _classifier, options: new MetricOptions { KernelSubsetSize = 20 });
        var results = new string[6];
        Parallel.For(0, results.Length, i => results[i] = metric.Measure(_model, Karras(2), 30, 2).ToString());
        Assert.Single(results.Distinct());
        Assert.StartsWith("KD ", results[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Endpoints_need_no_real_images_and_a_sampler_is_no_distance_from_itself()
    {
        using var metric = Metric.Endpoint(_model, Karras(9));
        Assert.Equal(0, metric.Measure(_model, Karras(9), 20, 2).Mean);
        var coarse = metric.Measure(_model, Karras(2), 20, 2);
        Assert.True(coarse.Mean > metric.Measure(_model, Karras(5), 20, 2).Mean);
        Assert.Null(metric.Measure(_model, Karras(2), 20, 1).StandardDeviation);
        var (expected, _) = PairedComparison.Measure(new SamplingLoop(_model.Denoiser, new EulerSolver(), Karras(2).Schedule),
            new SamplingLoop(_model.Denoiser, new EulerSolver(), Karras(9).Schedule), SeedList.Of(20), 100);
        Assert.Equal(expected, coarse.Spreads[0].Values[0]);
        Assert.StartsWith("Endpoint RMS", coarse.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_measured_is_refused()
    {
        using var images = new StripedImages(60, 1);
        using var wide = new StripedImages(60, 1, new ImageShape(1, 8, 12));
        Refused.With("no metric 'x'", () => Metric.Open("x", images));
        Refused.With("teacher", () => Metric.Open("endpoint", images, _classifier));
        Refused.With("nothing to compare", () => Metric.Open("fd", null, _classifier));
        Refused.With("takes 1x8x8".Replace("1x8x8", Shape.ToString(), StringComparison.Ordinal), () => Metric.Frechet(wide, _classifier));
        Refused.With("config.json", () => Metric.Frechet(images, _folder.File("nothing")));
        Refused.With("feature network", () => Metric.Open("fid", images));
        using var metric = Metric.Frechet(images, _classifier);
        Refused.With("cannot be measured", () => metric.Measure(_model, Karras(2), 1));
        Refused.With("cannot be measured", () => metric.Measure(_model, Karras(2), int.MaxValue, 3));
        Refused.With("runs from sigma", () => metric.Measure(_model, new Sampler(new SamplingSchedule([500, 1]), new EulerSolver()), 4));
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => metric.Measure(_model, Karras(2), 4, cancellation: cancelled.Token));
        Assert.True(metric.Measure(_model, Karras(2), 4).Mean >= 0); // a cancelled measurement leaves nothing half done
        using var score = Metric.Open("is", classifierFolder: _classifier);
        Assert.InRange(score.Measure(_model, Karras(2), 20).Mean, 1, 4);
        Assert.DoesNotContain("endpoint", Metric.Names);
    }

    private static double Frechet(SeedRange range, Sampler sampler, FeatureClassifier network, FeatureReference reference)
    {
        using var statistics = new FeatureStatistics(network.Dimension);
        var loop = new BatchSampler(new SamplingLoop(new Shrinking(0.5), sampler.Solver, sampler.Schedule)) { BatchSize = 100 };
        foreach (var batch in loop.Sample(SeedList.Of(range.Count, range.First)))
        {
            using (batch)
            using (var pixels = FewStep.Data.PixelScale.RoundTrip(batch.Images))
            using (var features = network.Extract(pixels))
            {
                statistics.Add(features);
            }
        }

        return FrechetDistance.Between(statistics, reference.Statistics);
    }

    private static Sampler Karras(int steps) => new(StandardSchedule.Karras().Create(steps, 0.002, 80), new EulerSolver());

    private sealed class Told(List<WorkProgress> told) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => told.Add(value);
    }

    /// <summary>The ideal denoiser of Gaussian data of a standard deviation.</summary>
    private sealed class Shrinking(double deviation) : IDenoiser
    {
        public ImageShape Shape => FrontDoorTests.Shape;

        public int Classes => 0;

        public double SigmaMin => 0.002;

        public double SigmaMax => 80;

        public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
            => x * (deviation * deviation / ((sigma * sigma) + (deviation * deviation)));
    }
}
