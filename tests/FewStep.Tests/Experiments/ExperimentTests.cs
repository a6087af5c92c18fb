using FewStep.Data;
using FewStep.Denoising;
using FewStep.Metrics;
using FewStep.Noise;
using FewStep.Experiments;
using FewStep.Platform;
using FewStep.Solvers;
using FewStep.Tests.Metrics;
using TorchSharp;
using static TorchSharp.torch;

namespace FewStep.Tests.Experiments;

public sealed class ScheduleComparisonTests : IDisposable
{
    private static readonly ImageShape Shape = new(1, 8, 8);
    private readonly string _folder = Directory.CreateTempSubdirectory("fewstep-comparison-").FullName;
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly FrechetEvaluation _evaluation;
    private readonly CountingDenoiser _network = new(new Shrinking(0.5));
    private readonly IReadOnlyList<SeedRange> _ranges = SeedRange.Consecutive(100, 12, 3);

    public ScheduleComparisonTests()
    {
        using var images = new StripedImages(40, 1);
        var classifier = new FeatureClassifier(new ClassifierConfiguration(Shape, 4, [8], 1, "FD (stripes)"), 3);
        _evaluation = new FrechetEvaluation(classifier, ReferenceStatistics.Measure(images, classifier));
    }

    private string StorePath => Path.Combine(_folder, EvaluationStore.Name);

    public void Dispose()
    {
        _scope.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Every_cell_gets_its_distances_and_its_counted_evaluations()
    {
        var result = Comparison().Run([Cell(4), Cell(4, solver: "heun"), Cell(3, zero: true)], cancellation: TestContext.Current.CancellationToken);
        Assert.Equal([4.0, 8.0, 4.0], result.Evaluations.Select(e => e.EvaluationsPerImage));
        Assert.Equal([4, 4, 3], result.Evaluations.Select(e => e.Steps));
        Assert.All(result.Evaluations, e => Assert.Equal([100L, 112L, 124L], e.Distance!.Ranges.Select(r => r.FirstSeed)));
        Assert.Equal(36 * 16, result.Cost.NetworkEvaluations);
        Assert.Equal(36 * 16, _network.Images);
        Assert.Equal(9, result.RangesMeasured);
        Assert.All(result.Evaluations, e => Assert.Null(e.LossPower0));
    }

    [Fact]
    public void An_interrupted_comparison_goes_on_where_it_was_and_ends_the_same()
    {
        ComparisonCell[] cells = [Cell(2), Cell(3)];
        var whole = Comparison().Run(cells, cancellation: TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        var progress = new Told(p => { if (p.Done == 48) { stop.Cancel(); } });
        long before = _network.Images;
        Assert.Throws<OperationCanceledException>(() => Comparison(EvaluationStore.Open(StorePath)).Run(cells, progress, stop.Token));
        // Three ranges of the first cell and one of the second.
        Assert.Equal(12 * ((3 * 2) + 3), _network.Images - before);

        before = _network.Images;
        var rest = Comparison(EvaluationStore.Open(StorePath)).Run(cells, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(12 * 2 * 3, _network.Images - before);
        Assert.Equal(2, rest.RangesMeasured);
        Assert.Equal(Distances(whole), Distances(rest));
        Assert.Equal(whole.Cost.NetworkEvaluations, rest.Cost.NetworkEvaluations);

        before = _network.Images;
        var again = Comparison(EvaluationStore.Open(StorePath)).Run(cells, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal((0, 0L), (again.RangesMeasured, _network.Images - before));
        Assert.Equal(Distances(whole), Distances(again));
    }

    [Fact]
    public void What_determines_a_measurement_is_in_its_key_and_names_are_not()
    {
        var cell = Cell(3);
        string key = EvaluationStore.Key(cell, _ranges[0], _evaluation);
        ComparisonCell[] same = [cell with { ScheduleName = "another name" }, cell with { Role = EvaluationRole.Result }, cell with { Tuning = "tuned" }];
        ComparisonCell[] others = [Cell(4), Cell(3, zero: true), Cell(3, solver: "heun"), cell with { DenoiserIdentity = "other weights" }];
        Assert.All(same, other => Assert.Equal(key, EvaluationStore.Key(other, _ranges[0], _evaluation)));
        Assert.Equal(6, others.Select(other => EvaluationStore.Key(other, _ranges[0], _evaluation)).Append(key).Append(EvaluationStore.Key(cell, _ranges[1], _evaluation)).Distinct().Count());

        // One combination under two names is measured once.
        var result = Comparison().Run([cell, same[0]], cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(3, result.RangesMeasured);
        Assert.Equal(36 * 3, result.Cost.NetworkEvaluations);
        Assert.Equal("another name", result.Evaluations[1].Schedule);
    }

    [Fact]
    public void The_batch_does_not_matter_and_progress_counts_every_image()
    {
        var seen = new List<long>();
        var small = Comparison(batch: 5).Run([Cell(2)], new Told(p => seen.Add(p.Done)), TestContext.Current.CancellationToken);
        var large = Comparison(batch: 100).Run([Cell(2)], cancellation: TestContext.Current.CancellationToken);
        Assert.Equal([5L, 10, 12, 17, 22, 24, 29, 34, 36], seen);
        Assert.Equal(Distances(small), Distances(large), (a, b) => Math.Abs(a - b) < 1e-6 * Math.Abs(a));
    }

    [Fact]
    public void Misfits_are_refused_before_anything_is_sampled()
    {
        var wide = Cell(2) with { Schedule = new SamplingSchedule([81, 1, 0.002]) };
        var large = Cell(2) with { Denoiser = new Shrinking(0.5, new ImageShape(3, 8, 8)) };
        Assert.Contains("81", Refused(Cell(2), wide), StringComparison.Ordinal);
        Assert.Contains("3x8x8", Refused(Cell(2), large), StringComparison.Ordinal);
        Assert.Equal(0, _network.Images);
        // Within a rounding of the model's ends is within.
        Comparison().Run([Cell(2) with { Schedule = new SamplingSchedule([80.001, 1, 0.0019999]) }], cancellation: TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("{\"version\": 2, \"ranges\": []}", "version 2")]
    [InlineData("{\"version\": 1}", "not valid")]
    [InlineData("{\"version\": 1, \"ranges\": [null]}", "null")]
    [InlineData("{\"version\": 1, \"ranges\": [{\"key\": \"00\", \"schedule\": \"s\", \"solver\": \"euler\", \"steps\": 1, \"first_seed\": 0, \"images\": 2, \"distance\": 1, \"network_evaluations\": 1, \"seconds\": 1}]}", "key 00")]
    public void A_damaged_store_is_refused(string content, string fragment)
    {
        File.WriteAllText(StorePath, content);
        var e = Assert.Throws<InvalidInputException>(() => EvaluationStore.Open(StorePath));
        Assert.Contains(fragment, e.Message, StringComparison.Ordinal);
        Assert.Contains(StorePath, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void A_strip_shows_the_images_of_its_seeds()
    {
        var strip = ImageStrip.Draw(Cell(3), [4, 9, 5], _folder, "samples/strip.png", TestContext.Current.CancellationToken);
        Assert.Equal((3.0, "karras"), (strip.EvaluationsPerImage, strip.Label));
        Assert.Equal([4L, 9, 5], strip.Seeds);
        using var image = PngFile.Read(Path.Combine(_folder, strip.Path));
        using var alone = PngFile.Read(Path.Combine(_folder, ImageStrip.Draw(Cell(3), [9], _folder, "nine.png", TestContext.Current.CancellationToken).Path));
        Assert.Equal([1, 1, 8, 24], image.shape);
        Assert.Equal(0, (image.narrow(3, 8, 8) - alone).abs().max().ToDouble());
    }

    [Fact]
    public void The_floor_takes_as_many_subsets_as_there_are_images_for()
    {
        using var images = new StripedImages(30, 5);
        Assert.Null(RunFacts.Of(_evaluation, images, 10, 3, 0).Remark);
        var (metric, remark) = RunFacts.Of(_evaluation, images, 15, 3, 0);
        Assert.True(metric.Floor > 0 && metric.FloorImages == 15);
        Assert.Contains("2 disjoint subsets", remark!, StringComparison.Ordinal);
        Assert.Null(RunFacts.Of(_evaluation, images, 31, 3, 0).Metric.Floor);
        Assert.Null(RunFacts.Of(_evaluation, null, 10, 3, 0).Metric.Floor);
        Assert.Equal("FD", metric.ShortName);
    }

    private static double[] Distances(ComparisonResult result) => [.. result.Evaluations.SelectMany(e => e.Distance!.Ranges.Select(r => r.Value))];

    private string Refused(params ComparisonCell[] cells)
    {
        var e = Assert.Throws<InvalidInputException>(() => Comparison().Run(cells));
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }

    private ScheduleComparison Comparison(EvaluationStore? store = null, int batch = 12) => new(_evaluation, _ranges) { Store = store ?? EvaluationStore.InMemory(), BatchSize = batch };

    private ComparisonCell Cell(int steps, string solver = "euler", bool zero = false) => new()
    {
        Denoiser = _network,
        DenoiserIdentity = "weights",
        ScheduleName = "karras",
        Schedule = StandardSchedule.Karras().Create(steps, 0.002, 80, zero ? ScheduleTerminal.Zero : ScheduleTerminal.SigmaMin),
        Solver = SolverCatalog.Find(solver),
    };

    private sealed class Told(Action<WorkProgress> tell) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => tell(value);
    }

    /// <summary>The ideal denoiser of Gaussian data around 0.</summary>
    private sealed class Shrinking(double deviation, ImageShape? shape = null) : IDenoiser
    {
        ImageShape IDenoiser.Shape => shape ?? Shape;

        public int Classes => 4;

        public double SigmaMin => 0.002;

        public double SigmaMax => 80;

        public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels) => x * (deviation * deviation / (sigma * sigma + deviation * deviation)).view(-1, 1, 1, 1);
    }
}
