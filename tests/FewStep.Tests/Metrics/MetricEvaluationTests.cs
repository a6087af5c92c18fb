using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Metrics;
using FewStep.Platform;
using FewStep.Tests.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace FewStep.Tests.Metrics;

public sealed class MetricEvaluationTests : IDisposable
{
    private static readonly ImageMetric[] All = [ImageMetric.Frechet, ImageMetric.Kernel, ImageMetric.Neighbours, ImageMetric.ClassScore];
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_set_against_itself_is_perfect()
    {
        using var images = new StripedImages(61, 1);
        var rows = new Rows();
        using var reference = MetricReference.Measure(images, rows, All, new MetricOptions(), 7);
        var figures = new MetricEvaluation(rows, reference, All, new MetricOptions()).Measure(images, 3, 10);
        Assert.Equal(["FD (rows)", "KD (rows)", "precision (rows)", "recall (rows)", "density (rows)", "coverage (rows)", "class score (rows)"], figures.Select(f => f.Name));
        Assert.InRange(figures[0].Value, 0, 1e-9);
        Assert.InRange(figures[1].Value, -1, 0); // unbiased: a set is nearer to itself than another sample of it
        Assert.Equal([1, 1, 1], new[] { 2, 3, 5 }.Select(i => figures[i].Value));
        Assert.All(figures, f => Assert.Equal((61, 20, 3), (f.Images, f.RangeImages, f.Ranges.Count)));
        Assert.All(figures.SkipLast(1), f => Assert.Equal((61, images.Hash), (f.ReferenceImages, f.ReferenceHash)));
        Assert.Null(figures[^1].ReferenceHash);
        Assert.All(figures, f => Assert.NotNull(f.StandardDeviation));
        Assert.All(figures, f => Assert.Equal(rows.Hash, f.ExtractorHash));
    }

    [Fact]
    public void Samples_in_any_batches_are_measured_like_stored_images()
    {
        using var images = new StripedImages(40, 1);
        using var others = new StripedImages(30, 2);
        var rows = new Rows();
        var options = new MetricOptions { KernelSubsetSize = 100 };
        using var reference = MetricReference.Measure(images, rows, All, options, 7);
        var evaluation = new MetricEvaluation(rows, reference, All, options);
        var stored = evaluation.Measure(others, 1, 4);
        var tensors = new ImageTensors(others);
        using var measurement = evaluation.Begin(30);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int start = 0; start < 30; start += 7)
        {
            using var scope = NewDisposeScope();
            var batch = tensors.Read([.. Enumerable.Range(start, Math.Min(7, 30 - start))]);
            measurement.Add(batch);
        }

        var sampled = measurement.Finish();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        foreach (var (a, b) in stored.Zip(sampled).Where(p => p.First.Metric != ImageMetric.ClassScore)) // whose parts depend on the order
        {
            Assert.Equal(a.Value, b.Value, 1e-9 * (1 + Math.Abs(a.Value)));
        }

        var figures = evaluation.Figures([sampled, [.. sampled.Select(v => v with { Value = v.Value + 2 })]]);
        Assert.All(figures.Zip(sampled), p => Assert.Equal(p.Second.Value + 1, p.First.Value, 1e-12));
        Assert.All(figures, f => Assert.Equal(Math.Sqrt(2), f.StandardDeviation!.Value, 1e-12));
    }

    [Fact]
    public void Statistics_files_are_read_and_written_in_the_form_of_the_other_programs()
    {
        using var images = new StripedImages(40, 1);
        var rows = new Rows();
        using var statistics = ReferenceStatistics.Measure(images, rows);
        using var copy = FeatureStatistics.FromMoments(40, statistics.Statistics.Mean(), statistics.Statistics.Covariance());
        string path = _folder.File("own.npz"), foreign = _folder.File("foreign.npz");
        new FeatureMoments(copy, 40, images.Hash, rows.Hash).Write(path);
        var arrays = NpzFile.Read(path);
        Assert.Equal([8L], arrays["mu"].Shape.ToArray());
        Assert.Equal([8L, 8L], arrays["sigma"].Shape.ToArray());
        Assert.IsType<double[]>(arrays["sigma"].Values);
        using (var back = FeatureMoments.Read(path))
        {
            Assert.Equal((40, images.Hash, rows.Hash), (back.Count!.Value, back.ImageSetHash, back.ExtractorHash));
            Assert.InRange(FrechetDistance.Between(back.Statistics, statistics.Statistics), 0, 1e-9);
        }

        // What numpy.savez(mu=, sigma=) writes: the two arrays alone.
        NpzFile.Write(foreign, new Dictionary<string, NpyArray> { ["mu"] = arrays["mu"], ["sigma"] = arrays["sigma"] }, compress: false);
        using (var back = FeatureMoments.Read(foreign))
        {
            Assert.Equal((null, null, null), (back.Count, back.ImageSetHash, back.ExtractorHash));
            Assert.Equal(arrays["sigma"].ToDoubles(), back.Statistics.Covariance().data<double>().ToArray());
        }

        using var others = new StripedImages(30, 2);
        using var reference = MetricReference.FromFile(foreign, rows, [ImageMetric.Frechet]);
        using var measured = MetricReference.Measure(images, rows, [ImageMetric.Frechet], new MetricOptions(), 9);
        double FrechetTo(MetricReference to) => new MetricEvaluation(rows, to, [ImageMetric.Frechet], new MetricOptions()).Measure(others, 1, 9)[0].Value;
        Assert.Equal(FrechetTo(measured), FrechetTo(reference), 1e-8);
        Refused.With("kid and prdc", () => MetricReference.FromFile(path, rows, [ImageMetric.Kernel]));
        Refused.With("other weights", () => MetricReference.FromFile(path, new Rows("b"), [ImageMetric.Frechet]));
        Bad("holds no feature statistics", new() { ["mean"] = arrays["mu"] });
        Bad("must be float64", new() { ["mu"] = new NpyArray(new long[8], 8), ["sigma"] = arrays["sigma"] });
        Bad("'mu' [d] and 'sigma' [d,d]", new() { ["mu"] = arrays["mu"], ["sigma"] = new NpyArray(new double[32], 8, 4) });
        Bad("not finite", new() { ["mu"] = new NpyArray(Enumerable.Repeat(double.NaN, 8).ToArray(), 8), ["sigma"] = arrays["sigma"] });
        Bad("'count'", new() { ["mu"] = arrays["mu"], ["sigma"] = arrays["sigma"], ["count"] = new NpyArray(new[] { 1L }) });
        Bad("'images_sha256'", new() { ["mu"] = arrays["mu"], ["sigma"] = arrays["sigma"], ["images_sha256"] = new NpyArray(new byte[64], 64) });
        Refused.With("zip", () => FeatureMoments.Read(_folder.Write("text.npz", "no zip at all, nothing of the sort"u8)));
    }

    [Fact]
    public void Statistics_of_other_features_are_refused_before_they_are_in_memory()
    {
        string path = _folder.File("large.npz");
        const int dimension = 2000; // 32 MB of zeros, packed to kilobytes
        NpzFile.Write(path, new Dictionary<string, NpyArray> { ["mu"] = new(new double[dimension], dimension), ["sigma"] = new(new double[dimension * dimension], dimension, dimension) });
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Refused.With("2000 features, not 8", () => MetricReference.FromFile(path, new Rows(), [ImageMetric.Frechet]));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < 4 << 20);
    }

    [Fact]
    public void Too_few_images_and_misfits_are_refused()
    {
        using var images = new StripedImages(10, 1);
        using var single = new StripedImages(1, 1);
        using var wide = new StripedImages(10, 1, new ImageShape(1, 8, 12));
        var rows = new Rows();
        using var reference = MetricReference.Measure(images, rows, All, new MetricOptions(), 7);
        var evaluation = new MetricEvaluation(rows, reference, All, new MetricOptions());
        Refused.With("shape", () => evaluation.Measure(wide, 1, 5));
        Refused.With("cannot be measured", () => evaluation.Measure(images, 6, 5));
        Refused.With("6 or more images", () => evaluation.Measure(images, 2, 5));
        Refused.With("2 or more", () => MetricReference.Measure(single, rows, All, new MetricOptions(), 7));
        Refused.With("kernel_subsets 0", () => new MetricOptions { KernelSubsets = 0 }.Check());
        Assert.Throws<InvalidInputException>(() => evaluation.Begin(3).Add(full(3, 1, 8, 8, float.NaN)));
    }

    private void Bad(string reason, Dictionary<string, NpyArray> arrays)
    {
        string path = _folder.File("bad.npz");
        NpzFile.Write(path, arrays);
        Refused.With(reason, () => FeatureMoments.Read(path));
    }

    /// <summary>The mean of each row as features, and of each half as class scores.</summary>
    private sealed class Rows(string hash = "a") : IClassScorer
    {
        public string Name => "FD (rows)";

        public string FeatureName => "rows";

        public int Dimension => 8;

        public int Classes => 2;

        public ImageShape Shape { get; } = new(1, 8, 8);

        public string Hash { get; } = string.Concat(Enumerable.Repeat(hash, 64));

        public Tensor Extract(Tensor images) => images.mean([1, 3]);

        public Tensor ClassLogits(Tensor features) => features.reshape(-1, 2, 4).mean([2]);

        public void Dispose()
        {
            // There are no weights.
        }
    }
}
