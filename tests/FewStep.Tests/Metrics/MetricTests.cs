using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Metrics;
using TorchSharp;

namespace FewStep.Tests.Metrics;

public sealed class MetricTests : TensorFileTests
{
    private static readonly string[] All = ["fd", "kid", "prdc", "is"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void A_set_against_itself_is_perfect()
    {
        using var images = new StripedImages(61, 1);
        using var context = Context(images);
        var figures = StoredImagesMeasurement.Measure(MetricCatalog.Open(All, context), images, 3, 0, 10);
        string[] names =
            ["FD (rows)", "KD (rows)", "precision (rows)", "recall (rows)", "density (rows)", "coverage (rows)", "class score (rows)"];
        Assert.Equal(names, figures.Select(f => f.Figure.Name));
        Assert.Equal(["fd", "kid", "precision", "recall", "density", "coverage", "is"], figures.Select(f => f.Figure.Key));
        Assert.Equal(["FD", "KD", "precision", "recall", "density", "coverage", "class score"], figures.Select(f => f.Figure.ShortName));
        Assert.InRange(figures[0].Whole.Value, 0, 1e-9);
        Assert.InRange(figures[1].Whole.Value, -1, 0); // unbiased: a set is nearer to itself than another sample of it
        Assert.Equal([1, 1, 1], new[] { 2, 3, 5 }.Select(i => figures[i].Whole.Value));
        Assert.All(figures, f => Assert.Equal((20, 3), (f.PartImages, f.Parts.Count)));
        Assert.All(figures.SkipLast(1), f => Assert.Equal((61, images.Hash), (f.Figure.ReferenceImages, f.Figure.ReferenceHash)));
        Assert.Null(figures[^1].Figure.ReferenceHash);
        Assert.All(figures, f => Assert.Equal(new RowFeatures().Hash, f.Figure.FeatureHash));
    }

    [Fact]
    public void A_shift_of_the_mean_feature_is_measured_as_its_square()
    {
        using var images = new StripedImages(40, 1);
        using var reference = FeatureReference.Measure(images, new RowFeatures(add: 0.5f));
        var metric = FrechetMetric.Of(FeatureKind.Classifier, new RowFeatures(add: 0.25f), reference);
        Assert.Equal(8 * 0.25 * 0.25, Sampled(metric, images, 40, 7)[0].Value, 1e-5);
    }

    [Fact]
    public void Samples_in_any_batches_are_measured_like_stored_images()
    {
        using var images = new StripedImages(40, 1);
        using var others = new StripedImages(30, 2);
        using var context = Context(images, new MetricOptions { KernelSubsetSize = 100 });
        var metrics = MetricCatalog.Open(All, context);
        var stored = StoredImagesMeasurement.Measure(metrics, others, 1, 0, 4);
        Assert.All(stored, f => Assert.Empty(f.Parts));
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        // Within half a grey level: the rounding to 8 bits restores the images exactly.
        var sampled = metrics.SelectMany(m => Sampled(m, others, 30, 7, 0.49 / 127.5)).ToList();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        foreach (var (a, b) in stored.Zip(sampled).Where(p => p.First.Figure.Key != "is")) // whose parts depend on the order
            Assert.Equal(a.Whole.Value, b.Value, 1e-9 * (1 + Math.Abs(a.Whole.Value)));
    }

    // An image of a known noise on a ramp, and an even one; measured whole and in two parts that are joined.
    [Fact]
    public void Grain_is_the_noise_of_images_in_grey_levels_whatever_the_parts()
    {
        using var context = new MetricContext();
        var metric = Assert.IsType<FeatureMetric>(Assert.Single(MetricCatalog.Open(["grain"], context)));
        using var generator = new Generator(3);
        var ramp = linspace(-0.5, 0.5, 64).expand(1, 1, 64, 64);
        var noisy = ramp + randn([1, 1, 64, 64], generator: generator) * (10 / 127.5);
        using var images = new MeasuredImages(cat([noisy, ramp], 0));
        using var whole = metric.Begin(2, null);
        whole.Add(images);
        double grain = Assert.Single(whole.Finish(Token)).Value;
        Assert.Equal(5, grain, 0.4);
        SeedRange two = new(0, 2), second = new(1, 1);
        using var joined = metric.Begin(two, new SeedRange(0, 1));
        using var rest = metric.Begin(two, second);
        using var first = images.Part(0, 1);
        using var other = images.Part(1, 1);
        joined.Add(first);
        rest.Add(other);
        joined.Join(rest.Sums());
        Assert.Equal(grain, Assert.Single(joined.Finish(Token)).Value, 1e-6);
        Assert.True(metric.ComparesWithRealImages);
    }

    [Fact]
    public void Endpoints_are_compared_with_the_teachers_of_the_same_seeds()
    {
        var ends = zeros(3, 1, 2, 2);
        var asked = new List<SeedRange>();
        using var context = new MetricContext { Teacher = new FineTeacher("heun", "id", range => Ask(asked, range, ends)) };
        var metric = Assert.Single(MetricCatalog.Open(["endpoint"], context));
        using var measurement = metric.Begin(3, new SeedRange(5, 3));
        // distances 5, 2, 0
        using var batch = new MeasuredImages(tensor(new float[] { 3, 0, 0, 4, 1, 1, 1, 1, 0, 0, 0, 0 }).reshape(3, 1, 2, 2));
        using var first = batch.Part(0, 1);
        using var rest = batch.Part(1, 2);
        measurement.Add(first);
        measurement.Add(rest);
        Assert.Equal(7 / 6.0, Assert.Single(measurement.Finish(Token)).Value, 1e-12);
        Assert.Equal([new SeedRange(5, 3)], asked);
        Refused.With("no seeds", () => metric.Begin(3, null));
        Assert.False(metric.ComparesWithRealImages);
    }

    [Fact]
    public void The_floor_uses_disjoint_subsets_and_is_zero_for_the_whole_reference()
    {
        using var images = new StripedImages(80, 1);
        using var context = Context(images);
        var metrics = MetricCatalog.Open(["is", "fd", "prdc"], context);
        var whole = RealFloor.Measure(metrics, images, 80, 1, 0);
        Assert.InRange(whole.Figures["fd"].Mean, 0, 1e-9);
        Assert.Equal((1, 80, null), (whole.Subsets, whole.Images, whole.Remark));
        Assert.Equal(["fd", "precision", "recall", "density", "coverage"], whole.Figures.Keys);
        Assert.Null(whole.Figures["fd"].StandardDeviation);
        var floor = RealFloor.Measure(metrics, images, 20, 4, 3);
        Assert.Equal(floor.Figures["fd"].Values, RealFloor.Measure(metrics, images, 20, 4, 3).Figures["fd"].Values);
        Assert.Equal(4, floor.Figures["fd"].Values.Distinct().Count());
        Assert.Contains("mean of 2 disjoint subsets of 30 training images, not of 3: the set holds 80",
            RealFloor.Measure(metrics, images, 30, 3, 0).Remark, StringComparison.Ordinal);
        Assert.Contains("only 80 training images", RealFloor.Measure(metrics, images, 81, 3, 0).Remark, StringComparison.Ordinal);
        Assert.Contains("no real images beside", RealFloor.Measure(metrics, null, 81, 3, 0).Remark, StringComparison.Ordinal);
        var none = RealFloor.Measure([metrics[0]], images, 20, 2, 0);
        Assert.Equal((0, null), (none.Figures.Count, none.Remark));
        var rare = new FewStep.Tests.Data.ListImageSet(
            new ImageShape(1, 8, 8), [.. Enumerable.Repeat(new byte[64], 20)], [.. Enumerable.Range(0, 20).Select(i => i < 19 ? 0 : 1)]);
        Assert.Contains("not balanced by class", RealFloor.Measure([metrics[1]], rare, 4, 3, 0).Remark, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reference_is_kept_in_a_file_and_measured_anew_when_stale()
    {
        string path = _folder.File("reference.safetensors");
        using var images = new StripedImages(50, 1);
        using var others = new StripedImages(50, 2);
        var network = new RowFeatures();
        FeatureReference Get(StripedImages set, KeptChoice? choice, out bool measured)
        {
            int calls = network.Calls;
            var reference = FeatureReference.LoadOrMeasure(path, set, network, choice);
            measured = network.Calls > calls;
            return reference;
        }

        using var first = Get(images, null, out bool measured);
        Assert.True(measured);
        using var loaded = Get(images, null, out measured);
        Assert.False(measured);
        Assert.InRange(FrechetDistance.Between(first.Statistics, loaded.Statistics), 0, 1e-9);
        var choice = new KeptChoice(20, 4);
        using var kept = Get(images, choice, out measured);
        Assert.True(measured);
        using var keptAgain = Get(images, choice, out measured);
        Assert.False(measured);
        Assert.Equal(kept.Kept!.data<float>().ToArray(), keptAgain.Kept!.data<float>().ToArray());
        int[] order = FewStep.Data.EpochShuffle.Order(images, 4);
        Assert.True(network.Extract(new ImageTensors(images).Read(order.AsSpan(0, 20))).Equals(kept.Kept!));
        Get(images, null, out measured).Dispose();
        Assert.False(measured);
        Get(images, choice with { Seed = 5 }, out measured).Dispose();
        Assert.True(measured);
        using var renewed = Get(others, null, out measured);
        Assert.True(measured);
        Assert.Equal(others.Hash, FeatureReference.Load(path).Reference.ImagesHash);

        File.WriteAllText(path, "{}");
        OneLine(() => FeatureReference.LoadOrMeasure(path, images, network));
        SafetensorsFile.Write(path, new Dictionary<string, Tensor> { ["mean"] = zeros(4) });
        OneLine(() => FeatureReference.Load(path));
    }

    [Fact]
    public void Networks_and_references_are_opened_once_and_only_where_needed()
    {
        using var images = new StripedImages(50, 1);
        var opened = new List<FeatureKind>();
        var network = new RowFeatures();
        var context = new MetricContext
        {
            OpenNetwork = kind => { opened.Add(kind); return network; },
            RealImages = () => images,
            Features = FeatureKind.Inception,
            Folder = _folder.File("a"),
        };
        var metrics = MetricCatalog.Open(["is", "kid", "fid", "prdc", "kid"], context);
        Assert.Equal(4, metrics.Count);
        Assert.Equal([FeatureKind.Inception], opened);
        Assert.Equal(1, network.Calls);
        Assert.Equal(["Inception score", "KID", "FID", "precision"], metrics.Select(m => m.Figures[0].ShortName));
        Assert.Equal(4, metrics.Select(m => m.Identity).Distinct().Count());
        Assert.True(File.Exists(Path.Combine(_folder.File("a"), FeatureReference.FileName(FeatureKind.Inception))));
        using var samples = new StripedImages(30, 2);
        Sampled(metrics[0], samples, 30, 30);
        Assert.Equal(2, network.Calls);
        Assert.Equal(MetricCatalog.Names, MetricCatalog.Entries.Select(e => e.Name).Distinct());
        using var nothing = new MetricContext();
        Refused.With(
            "no metric 'vmaf'; there are fd, fid, kid, prdc, is, endpoint, grain, clip-score, held-back-fd, ",
            () => MetricCatalog.Open(["fd", "vmaf"], nothing));
        Refused.With("nothing to compare", () => MetricCatalog.Open(["fd"], nothing));
        Refused.With("feature network", () => MetricCatalog.Open(["is"], nothing));
        Refused.With("teacher", () => MetricCatalog.Open(["endpoint"], nothing));
    }

    [Fact]
    public void A_second_network_judges_beside_the_first_and_must_be_another()
    {
        using var images = new StripedImages(50, 1);
        using var samples = new StripedImages(30, 2);
        using var context = Judges(new RowFeatures("b", add: 0.25f));
        var metrics = MetricCatalog.Open(["fd", "prdc", "held-back-fd", "held-back-kid", "held-back-prdc"], context);
        Assert.Equal(
            ["fd", "precision", "recall", "density", "coverage", "held-back-fd", "held-back-kid",
                .. new[] { "precision", "recall", "density", "coverage" }.Select(k => $"held-back-{k}")],
            metrics.SelectMany(m => m.Figures).Select(f => f.Key));
        Assert.All(metrics.Skip(2).SelectMany(m => m.Figures), f => Assert.EndsWith(", held back", f.ShortName));
        Assert.Equal(2, metrics.SelectMany(m => m.Figures).Select(f => f.FeatureHash).Distinct().Count());
        using var alone = new MetricContext
        { OpenNetwork = _ => new RowFeatures("b", add: 0.25f), RealImages = () => images, Features = FeatureKind.Classifier };
        double Value(IMetric metric) => StoredImagesMeasurement.Measure([metric], samples, 1, 0, 9)[0].Whole.Value;
        Assert.Equal(Value(MetricCatalog.Open(["kid"], alone)[0]), Value(metrics[3]));
        using var same = Judges(new RowFeatures());
        Refused.With("must be another", () => MetricCatalog.Open(["fd", "held-back-fd"], same));

        MetricContext Judges(RowFeatures second) => new()
        {
            OpenNetwork = kind => kind == FeatureKind.HeldBack ? second : new RowFeatures(),
            RealImages = () => images,
            Features = FeatureKind.Classifier,
        };
    }

    [Fact]
    public void Statistics_files_are_read_and_written_in_the_form_of_the_other_programs()
    {
        using var images = new StripedImages(40, 1);
        var rows = new RowFeatures();
        using var measured = FeatureReference.Measure(images, rows);
        string path = _folder.File("own.npz"), foreign = _folder.File("foreign.npz");
        StatisticsFile.Write(path, measured);
        var arrays = NpzFile.Read(path);
        Assert.Equal([8L], arrays["mu"].Shape.ToArray());
        Assert.Equal([8L, 8L], arrays["sigma"].Shape.ToArray());
        Assert.IsType<double[]>(arrays["sigma"].Values);
        using (var back = StatisticsFile.Read(path))
        {
            Assert.Equal((40, images.Hash, rows.Hash), (back.Images!.Value, back.ImagesHash, back.ExtractorHash));
            Assert.InRange(FrechetDistance.Between(back.Statistics, measured.Statistics), 0, 1e-9);
        }

        // What numpy.savez(mu=, sigma=) writes: the two arrays alone.
        NpzFile.Write(foreign, new Dictionary<string, NpyArray> { ["mu"] = arrays["mu"], ["sigma"] = arrays["sigma"] }, compress: false);
        using (var back = StatisticsFile.Read(foreign))
        {
            Assert.Equal((null, 64, null), (back.Images, back.ImagesHash.Length, back.ExtractorHash));
            Assert.Equal(arrays["sigma"].ToDoubles(), back.Statistics.Covariance().data<double>().ToArray());
        }

        using var others = new StripedImages(30, 2);
        double FrechetTo(MetricContext context)
            => StoredImagesMeasurement.Measure(MetricCatalog.Open(["fd"], context), others, 1, 0, 9)[0].Whole.Value;
        using var toImages = Context(images);
        using var toFile = new MetricContext { OpenNetwork = _ => rows, Statistics = foreign };
        Assert.Equal(FrechetTo(toImages), FrechetTo(toFile), 1e-8);
        Refused.With("kid and prdc", () => MetricCatalog.Open(["kid"], toFile));
        Refused.With("other weights", () => StatisticsFile.Read(path, new RowFeatures("b")));
        Bad("holds no feature statistics", new() { ["mean"] = arrays["mu"] });
        Bad("must be float64", new() { ["mu"] = new NpyArray(new long[8], 8), ["sigma"] = arrays["sigma"] });
        Bad("'mu' [d] and 'sigma' [d,d]", new() { ["mu"] = arrays["mu"], ["sigma"] = new NpyArray(new double[32], 8, 4) });
        Bad("not finite", new() { ["mu"] = new NpyArray(Enumerable.Repeat(double.NaN, 8).ToArray(), 8), ["sigma"] = arrays["sigma"] });
        Bad("'count'", new() { ["mu"] = arrays["mu"], ["sigma"] = arrays["sigma"], ["count"] = new NpyArray(new[] { 1L }) });
        Bad("'images_sha256'",
            new() { ["mu"] = arrays["mu"], ["sigma"] = arrays["sigma"], ["images_sha256"] = new NpyArray(new byte[64], 64) });
        Refused.With("zip", () => StatisticsFile.Read(_folder.Write("text.npz", "no zip at all, nothing of the sort"u8)));
    }

    [Fact]
    public void Statistics_of_other_features_are_refused_before_they_are_in_memory()
    {
        string path = _folder.File("large.npz");
        const int dimension = 2000; // 32 MB of zeros, packed to kilobytes
        NpzFile.Write(path, new Dictionary<string, NpyArray>
        { ["mu"] = new(new double[dimension], dimension), ["sigma"] = new(new double[dimension * dimension], dimension, dimension) });
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Refused.With("2000 features, not 8", () => StatisticsFile.Read(path, new RowFeatures()));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < 4 << 20);
    }

    [Fact]
    public void Too_few_images_and_misfits_are_refused()
    {
        using var images = new StripedImages(10, 1);
        using var single = new StripedImages(1, 1);
        using var wide = new StripedImages(10, 1, new ImageShape(1, 8, 12));
        using var context = Context(images);
        var metrics = MetricCatalog.Open(All, context);
        Refused.With("shape", () => StoredImagesMeasurement.Measure(metrics, wide, 1, 0, 5));
        Refused.With("shape", () => FeatureReference.Measure(wide, new RowFeatures()));
        Refused.With("cannot be measured", () => StoredImagesMeasurement.Measure(metrics, images, 6, 0, 5));
        Refused.With("6 or more images", () => StoredImagesMeasurement.Measure(metrics, images, 2, 0, 5));
        Refused.With("2 or more", () => FeatureReference.Measure(single, new RowFeatures()));
        Refused.With("kernel_subsets 0", () => MetricCatalog.Open(All, Context(images, new MetricOptions { KernelSubsets = 0 })));
        using var reference = FeatureReference.Measure(images, new RowFeatures());
        Refused.With("another feature network", () => _ = FrechetMetric.Of(FeatureKind.Classifier, new RowFeatures("b"), reference));
        using var measurement = metrics[0].Begin(3, null);
        using var diverged = new MeasuredImages(full(3, 1, 8, 8, float.NaN));
        Refused.With("NaN", () => measurement.Add(diverged));
    }

    private static MetricContext Context(StripedImages images, MetricOptions? options = null) =>
        new() { OpenNetwork = _ => new RowFeatures(), RealImages = () => images, Options = options ?? new MetricOptions() };

    private static Tensor Ask(List<SeedRange> asked, SeedRange range, Tensor ends)
    {
        asked.Add(range);
        return ends;
    }

    private static IReadOnlyList<MetricValue> Sampled(IMetric metric, StripedImages images, int count, int batch, double shift = 0)
    {
        var tensors = new ImageTensors(images);
        using var measurement = metric.Begin(count, new SeedRange(0, count));
        for (int start = 0; start < count; start += batch)
        {
            using var scope = NewDisposeScope();
            using var samples = new MeasuredImages(tensors.Read([.. Enumerable.Range(start, Math.Min(batch, count - start))]) + shift);
            measurement.Add(samples);
        }

        return measurement.Finish(Token);
    }

    private void Bad(string reason, Dictionary<string, NpyArray> arrays)
    {
        string path = _folder.File("bad.npz");
        NpzFile.Write(path, arrays);
        Refused.With(reason, () => StatisticsFile.Read(path));
    }

    private static void OneLine(Action act) => Assert.DoesNotContain('\n', Assert.Throws<InvalidInputException>(act).Message);
}
