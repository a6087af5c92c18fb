using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Experiments;
using FewStep.Noise;
using FewStep.Shards;
using FewStep.Tests.Data;
using FewStep.Tests.Metrics;
using TorchSharp;

namespace FewStep.Tests.Experiments;

public sealed class ExperimentTests : IDisposable
{
    private readonly ExperimentWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Shares_cut_a_cell_into_no_more_pieces_than_there_must_be_for_all_to_have_work()
    {
        var world = _world;
        Trial[] trials = [world.Trial(2), world.Trial(3), world.Trial(4)];
        const int shares = 4;
        for (int i = 1; i <= shares; i++)
        {
            var division = new Division(ShardStage.Of(new Shard(i, shares)), world.Folder, ["compare"]);
            Assert.Null(new Experiment(world.Options with { Division = division }).RunStage(trials, world.Frechet(), null, default));
        }

        // Nine cells of three batches: two pieces each are four a share or more.
        int[] pieces = [.. Parts.Of(world.Folder).All.Select(part =>
        {
            var (tensors, about) = SafetensorsFile.Read(part.At("sums-000000.safetensors"));
            tensors.Dispose();
            return about.Keys.Count(key => key.EndsWith("/key", StringComparison.Ordinal));
        })];
        Assert.Equal([5, 5, 4, 4], pieces);
        var merged = new Experiment(world.Options with { Division = new Division(ShardStage.Merge, world.Folder, ["compare"]) })
            .RunStage(trials, world.Frechet(), null, default)!;
        using var other = new ExperimentWorld();
        var whole = new Experiment(other.Options).Run(trials, other.Frechet());
        Assert.All(whole.Trials.Zip(merged.Trials), t =>
            Assert.All(t.First.Figures["fd"].Ranges.Zip(t.Second.Figures["fd"].Ranges), r =>
                Assert.InRange(r.Second.Value / r.First.Value, 1 - 1e-9, 1 + 1e-9)));
    }

    [Fact]
    public void Every_trial_gets_its_figures_and_its_counted_evaluations()
    {
        var summary = Run([_world.Trial(4), _world.Trial(4, "heun"), _world.Trial(3, zero: true)]);
        Assert.Equal([4.0, 8.0, 4.0], summary.Trials.Select(e => e.EvaluationsPerImage!.Value));
        Assert.Equal([4, 4, 3], summary.Trials.Select(e => e.Steps!.Value));
        Assert.Equal([4, 4, 3], summary.Trials.Select(e => e.Number));
        Assert.All(summary.Trials, e => Assert.Equal([100L, 112L, 124L], e.Figures["fd"].Ranges.Select(r => r.FirstSeed)));
        Assert.Equal(36 * 16, summary.Ledger.Single(l => l.Stage.StartsWith("samples", StringComparison.Ordinal)).NetworkEvaluations);
        Assert.Equal(36 * 16, _world.Network.Images);
        Assert.All(summary.Trials, e => Assert.Null(e.LossPower0));
        Assert.Equal(new SeedsSummary(100, 12, 3), summary.Seeds);
        Assert.Equal(("fd", "FD (stripes)", "FD"), summary.Figures.Select(f => (f.Key, f.Name, f.ShortName)).Single());
    }

    [Fact]
    public void An_interrupted_experiment_goes_on_where_it_was_and_ends_the_same()
    {
        Trial[] trials = [_world.Trial(2), _world.Trial(3)];
        using var other = new ExperimentWorld();
        var whole = Run([other.Trial(2), other.Trial(3)], other);
        using var stop = new CancellationTokenSource();
        var progress = new Told(p =>
        {
            if (p.Done >= 12 * (2 + 3 + 2))
                stop.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => new Experiment(_world.Options).Run(trials, _world.Frechet(), progress, stop.Token));
        // The first range of both, and the second of the first.
        Assert.Equal(12 * (2 + 3 + 2), _world.Network.Images);

        long before = _world.Network.Images;
        var rest = Run(trials);
        // What was sampled whole was measured and stored.
        Assert.Equal(12 * (2 + (2 * 3)), _world.Network.Images - before);
        Assert.Equal(Values(whole), Values(rest));

        before = _world.Network.Images;
        Assert.Equal(Values(whole), Values(Run(trials)));
        Assert.Equal(0, _world.Network.Images - before);
    }

    [Fact]
    public void What_determines_images_is_in_their_key_and_names_are_not()
    {
        var trial = _world.Trial(3);
        using var otherModel = ExperimentWorld.ModelOf(_world.Network, "other weights");
        Trial[] same = [_world.Trial(3, name: "another name"), trial with { Role = TrialRole.Result }, trial with { Tuning = "tuned" }];
        Trial[] others = [_world.Trial(4), _world.Trial(3, zero: true), _world.Trial(3, "heun"), trial with { Model = otherModel }];
        Assert.All(same, other => Assert.Equal(trial.ImagesKey("0 12"), other.ImagesKey("0 12")));
        var range = FewStep.Metrics.SeedRange.Consecutive(0, 12, 1)[0];
        Assert.NotEqual(trial.ImagesKey(range, 5), trial.ImagesKey(range, 100));
        Assert.Equal(6, others.Append(trial).Select(other => other.ImagesKey("0 12")).Append(trial.ImagesKey("12 12")).Distinct().Count());

        // One combination under two names is measured once.
        var summary = Run([trial, same[0]]);
        Assert.Equal(36 * 3, _world.Network.Images);
        Assert.Equal("another name", summary.Trials[1].Schedule);
        Assert.Equal(summary.Trials[0].Figures["fd"].Ranges, summary.Trials[1].Figures["fd"].Ranges);
        Assert.Equal(36 * 3, summary.Ledger[^1].NetworkEvaluations);
    }

    [Fact]
    public void Trials_of_one_name_are_told_apart()
    {
        var names = Run([_world.Trial(2), _world.Trial(2), _world.Trial(2) with { Role = TrialRole.Teacher }]).Trials.Select(t => t.Name);
        Assert.Equal(["karras, euler, 2 steps", "karras, euler, 2 steps (2)", "teacher: karras, euler, 2 steps"], names);
    }

    [Fact]
    public void The_batch_changes_rounding_alone_and_progress_counts_every_evaluation()
    {
        var seen = new List<long>();
        var small = new Experiment(_world.Options with { Folder = null })
            .Run([_world.Trial(2)], _world.Frechet(), new Told(p => Note(p, seen)), TestContext.Current.CancellationToken);
        var large = new Experiment(_world.Options with { Folder = null, BatchSize = 100 })
            .Run([_world.Trial(2)], _world.Frechet(), null, TestContext.Current.CancellationToken);
        Assert.Equal([10L, 20, 24, 34, 44, 48, 58, 68, 72], seen);
        Assert.Equal(Values(small), Values(large), (a, b) => Math.Abs(a - b) < 1e-6 * Math.Abs(a));

        static void Note(WorkProgress p, List<long> seen)
        {
            if (p.Unit == "evaluations")
                seen.Add(p.Done);
        }
    }

    [Fact]
    public void Misfits_are_refused_before_anything_is_sampled()
    {
        var wide = _world.Trial(2) with { Sampler = new Sampler(new SamplingSchedule([81, 1, 0.002]), _world.Trial(2).Sampler.Solver) };
        using var large = ExperimentWorld.ModelOf(ExperimentWorld.Denoiser(new ImageShape(3, 8, 8)));
        Assert.Contains("81", Refused(_world.Trial(2), wide), StringComparison.Ordinal);
        Assert.Contains("3x8x8", Refused(_world.Trial(2), _world.Trial(2) with { Model = large }), StringComparison.Ordinal);
        Assert.Contains("nothing to measure", Refused(), StringComparison.Ordinal);
        Assert.Equal(0, _world.Network.Images);
        // Within a rounding of the model's ends is within.
        Run([wide with { Sampler = wide.Sampler with { Schedule = new SamplingSchedule([80.001, 1, 0.0019999]) } }]);
        var e = Assert.Throws<InvalidInputException>(() => new Experiment(_world.Options with { Samples = 1, Ranges = 0 }));
        Assert.Contains("samples must be at least 2, not 1; ranges", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_range_decides_nothing_and_says_so()
    {
        var summary = new Experiment(_world.Options with { Ranges = 1 })
            .Run([_world.Trial(2), _world.Trial(4, "dpm2") with { Number = 2 }], _world.Frechet());
        Assert.Contains(summary.Warnings, w => w.Contains("one range of seeds only", StringComparison.Ordinal));
        Assert.Contains("1 degree of freedom", (summary.Seeds! with { Ranges = 2 }).FewRanges, StringComparison.Ordinal);
        Assert.Null((summary.Seeds! with { Ranges = 3 }).FewRanges);
        Assert.All(summary.Trials, t => Assert.Null(t.Verdicts["fd"].HalfWidth));
    }

    [Fact]
    public void A_strip_shows_the_images_of_its_seeds_and_is_drawn_once()
    {
        var options = _world.Options with { ShownSeeds = [4, 9, 5] };
        var strip = new Experiment(options).Run([_world.Trial(3)], _world.Frechet()).ImageStrips.Single();
        Assert.Equal((3.0, "karras, euler, 3 steps"), (strip.EvaluationsPerImage, strip.Label));
        Assert.Equal([4L, 9, 5], strip.Seeds);
        using var image = PngFiles.Read(Path.Combine(_world.Folder, strip.Path));
        var nine = new Experiment(options with { ShownSeeds = [9] }).Run([_world.Trial(3)], _world.Frechet()).ImageStrips.Single();
        using var alone = PngFiles.Read(Path.Combine(_world.Folder, nine.Path));
        Assert.Equal([1, 1, 8, 24], image.shape);
        Assert.Equal(0, (image.narrow(3, 8, 8) - alone).abs().max().ToDouble());
        long before = _world.Network.Images;
        new Experiment(options).Run([_world.Trial(3)], _world.Frechet());
        Assert.Equal(before, _world.Network.Images);
    }

    [Fact]
    public void The_floor_takes_as_many_subsets_as_there_are_images_for()
    {
        using var images = new StripedImages(30, 5);
        var enough = new Experiment(_world.Options with { Samples = 10, FloorImages = images }).Run([_world.Trial(1)], _world.Frechet());
        Assert.True(enough.Figures[0].Floor > 0 && enough.Figures[0].FloorImages == 10 && enough.Figures[0].FloorSubsets == 3);
        Assert.Empty(enough.Warnings);
        var fewer = new Experiment(_world.Options with { Samples = 15, FloorImages = images }).Run([_world.Trial(1)], _world.Frechet());
        Assert.Contains("2 disjoint subsets", fewer.Warnings.Single(), StringComparison.Ordinal);
        var none = new Experiment(_world.Options with { Samples = 31, FloorImages = images }).Run([_world.Trial(1)], _world.Frechet());
        Assert.Null(none.Figures[0].Floor);
    }

    private static IEnumerable<double> Values(Summary summary)
        => summary.Trials.SelectMany(t => t.Figures["fd"].Ranges.Select(r => r.Value));

    private Summary Run(IReadOnlyList<Trial> trials, ExperimentWorld? world = null) =>
        new Experiment((world ?? _world).Options).Run(trials, (world ?? _world).Frechet(), null, TestContext.Current.CancellationToken);

    private string Refused(params Trial[] trials)
    {
        var e = Assert.Throws<InvalidInputException>(() => Run(trials));
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }
}
