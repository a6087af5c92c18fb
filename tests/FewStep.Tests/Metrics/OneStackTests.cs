using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Metrics;
using FewStep.Tests.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace FewStep.Tests.Metrics;

/// <summary>Holds the metric stack to the numbers of the two that it replaces, bit for bit.</summary>
public sealed class OneStackTests : IDisposable
{
    private static readonly ImageMetric[] Single = [ImageMetric.Kernel, ImageMetric.Neighbours, ImageMetric.ClassScore];
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly TemporaryFolder _folder = new();
    private readonly StripedImages _real = new(540, 1);
    private readonly StripedImages _training = new(700, 2);
    private readonly FeatureClassifier _classifier = new(new ClassifierConfiguration(new ImageShape(1, 8, 8), 4, [16, 24], 1, "FD (stripes)"), 3);

    public void Dispose()
    {
        _classifier.Dispose();
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Frechet_distances_and_their_floor_agree()
    {
        using var old = ReferenceStatistics.LoadOrMeasure(_folder.File("old.safetensors"), _real, _classifier);
        var evaluation = new FrechetEvaluation(_classifier, old);
        using var reference = FeatureReference.LoadOrMeasure(_folder.File("new.safetensors"), _real, _classifier);
        IMetric metric = new FrechetMetric(FeatureKind.Classifier, _classifier, reference);
        var range = new SeedRange(40, 260);
        double expected = evaluation.Evaluate([range], Samples, 100).Spread.Mean;
        Assert.Equal(expected, Assert.Single(Sampled(metric, range, 100)).Value);
        var subsets = RealSubsets.Choose(_training, 300, 3, 5);
        var floor = evaluation.Floor(_training, subsets);
        var made = RealFloor.Measure([metric], _training, 300, 3, 5);
        Assert.Equal(floor.Spread.Values, made.Figures["fd"].Values);
        Assert.Equal((2, 300), (made.Subsets, made.Images));

        // Files of the old form are read; the distances to what they hold are the old ones.
        using var oldAgain = ReferenceStatistics.Load(_folder.File("old.safetensors"));
        using var again = FeatureReference.LoadOrMeasure(_folder.File("old.safetensors"), _real, _classifier);
        expected = new FrechetEvaluation(_classifier, oldAgain).Evaluate([range], Samples, 100).Spread.Mean;
        Assert.Equal(expected, Sampled(new FrechetMetric(FeatureKind.Classifier, _classifier, again), range, 100)[0].Value);
    }

    [Fact]
    public void Metrics_of_single_images_agree()
    {
        var options = new MetricOptions { KernelSubsets = 7, KernelSubsetSize = 60, KeptImages = 150, Seed = 3 };
        using var oldReference = MetricReference.Measure(_real, _classifier, Single, options, 100);
        var old = new MetricEvaluation(_classifier, oldReference, Single, options);
        using var context = Context(options);
        var metrics = MetricCatalog.Open(["kid", "prdc", "is"], context);
        var expected = old.Measure(_training, 3, 64);
        var stored = StoredImagesMeasurement.Measure(metrics, _training, 3, options.Seed, 64);
        Assert.Equal(expected.Select(f => f.Name), stored.Select(f => f.Figure.Name));
        Assert.Equal(expected.Select(f => (f.Value, f.InnerDeviation, f.RangeImages)), stored.Select(f => (f.Whole.Value, f.Whole.InnerDeviation, (long)f.PartImages)));
        Assert.All(expected.Zip(stored), p => Assert.Equal(p.First.Ranges, p.Second.Parts));

        var range = new SeedRange(7, 130);
        using var begun = old.Begin(range.Count);
        foreach (long[] seeds in range.Batches(50))
        {
            begun.Add(Samples(seeds));
        }

        Assert.Equal(begun.Finish().Select(v => (v.Value, v.InnerDeviation)), metrics.SelectMany(m => Sampled(m, range, 50)).Select(v => (v.Value, v.InnerDeviation)));
    }

    [Fact]
    public void Distances_to_a_statistics_file_agree()
    {
        string path = _folder.File("statistics.npz");
        using (var measured = FeatureReference.Measure(_real, _classifier, batch: 50))
        {
            StatisticsFile.Write(path, measured);
        }

        string oldPath = _folder.File("old.npz");
        using (var moments = FeatureMoments.Measure(_real, _classifier, 50))
        {
            moments.Write(oldPath);
        }

        Assert.Equal(NpzFile.Read(oldPath)["sigma"].ToDoubles(), NpzFile.Read(path)["sigma"].ToDoubles());
        Assert.Equal(File.ReadAllBytes(oldPath), File.ReadAllBytes(path));
        using var oldReference = MetricReference.FromFile(path, _classifier, [ImageMetric.Frechet]);
        var expected = new MetricEvaluation(_classifier, oldReference, [ImageMetric.Frechet], new MetricOptions()).Measure(_training, 2, 64);
        using var reference = StatisticsFile.Read(path, _classifier);
        var stored = StoredImagesMeasurement.Measure([new FrechetMetric(FeatureKind.Classifier, _classifier, reference)], _training, 2, 0, 64);
        Assert.Equal(expected[0].Value, stored[0].Whole.Value);
        Assert.Equal(expected[0].Ranges, stored[0].Parts);
    }

    private MetricContext Context(MetricOptions options) => new() { OpenNetwork = _ => _classifier, RealImages = () => _real, Options = options };

    private static Tensor Samples(long[] seeds)
    {
        using var scope = NewDisposeScope();
        return (FewStep.Sampling.Latents.Draw(seeds, new ImageShape(1, 8, 8)) * 0.7f).MoveToOuterDisposeScope();
    }

    private static IReadOnlyList<MetricValue> Sampled(IMetric metric, SeedRange range, int batch)
    {
        using var measurement = metric.Begin(range.Count, range);
        foreach (long[] seeds in range.Batches(batch))
        {
            using var samples = Samples(seeds);
            using var images = new MeasuredImages(samples);
            measurement.Add(images);
        }

        return measurement.Finish(TestContext.Current.CancellationToken);
    }
}
