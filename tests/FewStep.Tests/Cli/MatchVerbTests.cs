using FewStep.Data;
using FewStep.Denoising;
using FewStep.Matching;
using FewStep.Metrics;
using FewStep.Models;
using FewStep.Reporting;
using FewStep.Solvers;
using FewStep.Tests.Experiments;
using FewStep.Tests.Metrics;

namespace FewStep.Tests.Cli;

public sealed class MatchVerbTests : IClassFixture<TinyWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly TinyWorld _world;
    private readonly string _images;

    public MatchVerbTests(TinyWorld world)
    {
        (_world, _images) = (world, world.At("many", "train-images-idx3-ubyte.gz"));
        using var images = new StripedImages(1100, 7);
        IdxWriter.Write(_images, images);
    }

    [Fact]
    public async Task Samplers_are_matched_written_sampled_measured_and_refused_by_others()
    {
        string folder = _world.At("matches");
        var result = await CommandLineRun.Json(Match(folder));
        var samplers = result.GetProperty("samplers").EnumerateArray().ToArray();
        Assert.Equal([2, 3], samplers.Select(s => s.GetProperty("steps").GetInt32()));
        Assert.Contains("<svg", await File.ReadAllTextAsync(Path.Combine(folder, "match.html")), StringComparison.Ordinal);
        foreach (var match in samplers)
        {
            var sampler = Sampler.Read(match.GetProperty("file").GetString()!);
            var origin = sampler.Origin.Match!;
            Assert.IsType<FittedSolver>(sampler.Solver);
            Assert.True(match.GetProperty("held_out").GetDouble() < match.GetProperty("held_out_before").GetDouble());
            Assert.Equal("means and deviations of each stage, stripes, finest detail at weight 1", origin.Features);
            Assert.Equal((1100, 256, match.GetProperty("held_out").GetDouble()), (origin.Images, origin.Latents, origin.After));
            Assert.Equal(match.GetProperty("network_evaluations").GetInt64(), sampler.Origin.Evaluations);
            Assert.Null(sampler.Origin.Fit);
        }

        string three = Path.Combine(folder, "n3.sampler.json");
        Assert.Equal("ipndm:2", Assert.IsType<FittedSolver>(Sampler.Read(three).Solver).Base.Name);
        string[] model = ["--model", _world.Model, "--dtype", "float32"], other = ["--model", _world.Tuned, "--dtype", "float32"];
        await CommandLineRun.Json(["sample", .. model, "--sampler", three, "--seeds", "0-3", "--grid", _world.At("matched.png")]);
        await CommandLineRun.Refused("fitted to another model", ["sample", .. other, "--sampler", three, "--grid", _world.At("x.png")]);
        string[] others = Match(_world.At("of-other"), ("--model", _world.Tuned), ("--sampler", three));
        await CommandLineRun.Refused("fitted to another model", others);
        Assert.False(Directory.Exists(_world.At("of-other")));
        await CommandLineRun.Json([.. others, "--any-model"]);
        await CommandLineRun.Refused("would replace", Match(folder, ("--sampler", three)));

        Assert.Empty(Directory.GetFiles(folder, "refining-*"));

        // A judge by whose features a sampler was matched is told of, and none that is held back.
        string[] measured = ["evaluate", .. model, "--data", _world.Data, "--samples", "4", "--ranges", "2", "--strip-seeds", "none",
            "--sampler", three, "--sampler", "karras/euler/3", "--metrics", "fd"];
        await CommandLineRun.Json([.. measured, "--classifier", _world.Classifier, "--out", _world.At("judged")]);
        string report = await File.ReadAllTextAsync(_world.At("judged", "report.html"), Token);
        Assert.Contains("no impartial judge", report, StringComparison.Ordinal);
        using var second = new FeatureClassifier(new ClassifierConfiguration(new ImageShape(1, 8, 8), 4, [8], 1, "FD (other)"), 4);
        FeatureClassifierFolder.Save(second, _world.At("second"));
        await CommandLineRun.Refused("hold back another", [.. measured, "--classifier", _world.At("second"), "--held-back",
            _world.Classifier, "--schedules", "phase1", "--steps", "3", "--out", _world.At("partial")]);
        Assert.False(File.Exists(_world.At("partial", "loss-curve.json")), "refused after the schedules were searched");

        var again = await CommandLineRun.Json(Match(_world.At("again"), ("--sampler", three), ("--label", "1")));
        Assert.Equal(1, Sampler.Read(again.GetProperty("samplers")[0].GetProperty("file").GetString()!).Origin.Match?.Label);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_file_whatever_the_batches()
    {
        await CommandLineRun.Json(Match(_world.At("one"), ("--sampler", "karras/euler/2")));
        await CommandLineRun.Json(Match(_world.At("two"), ("--sampler", "karras/euler/2")));
        await CommandLineRun.Json(Match(_world.At("parts"), ("--sampler", "karras/euler/2"), ("--batch", "37")));
        Sampler Two(string folder) => Sampler.Read(_world.At(folder, "n2.sampler.json"));
        Assert.Equal(await File.ReadAllTextAsync(_world.At("one", "n2.sampler.json"), Token),
            await File.ReadAllTextAsync(_world.At("two", "n2.sampler.json"), Token));
        foreach (var (a, b) in Two("one").Schedule.Sigmas.Zip(Two("parts").Schedule.Sigmas))
            Assert.Equal(a, b, 1e-2 * a);
    }

    [Fact]
    public async Task The_library_finds_what_the_command_line_does()
    {
        await CommandLineRun.Json(Match(_world.At("by-verb"), ("--sampler", "karras/euler/2"), ("--iterations", "8")));
        using var model = Model.Open(_world.Model, new ModelOptions { ComputeType = ScalarType.Float32 });
        using var images = ImageSets.Open(_images);
        var matched = model.MatchSamplers([model.CreateSampler("karras/euler/2")], images, _world.Classifier, latents: 256);
        Assert.Equal(Sampler.Read(_world.At("by-verb", "n2.sampler.json")).Solver, Assert.Single(matched).Solver);
    }

    [Fact]
    public void An_interrupted_match_goes_on_to_the_same_sampler_at_the_same_cost()
    {
        var whole = MatchInto("undisturbed", null, Token);
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var second = new Told(w =>
        {
            if (w.Stage.StartsWith("refining", StringComparison.Ordinal) && w.Done > 5) // of 4 batches an iteration
                source.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => MatchInto("interrupted", second, source.Token));
        Assert.Single(Directory.GetFiles(_world.At("interrupted"), "refining-*"));
        var resumed = MatchInto("interrupted", null, Token);
        Assert.Equal(whole.Sampler, resumed.Sampler);
        Assert.Equal((whole.Result.Evaluations, whole.Result.Before), (resumed.Result.Evaluations, resumed.Result.Before));
        Assert.Empty(Directory.GetFiles(_world.At("interrupted"), "refining-*"));
    }

    [Fact]
    public async Task A_tuned_models_own_sampler_is_what_is_matched_where_none_is_named()
    {
        string tuned = _world.At("tuned-by-steps");
        await CommandLineRun.Json(["tune", "--model", _world.Model, "--dtype", "float32", "--sampler", "karras/euler/2", "--updates", "2",
            "--tune-batch", "2", "--held-out", "4", "--snapshots", "none", "--out", tuned]);
        string[] command = Match(_world.At("own"), ("--model", tuned), ("--sampler", null));
        var matched = await CommandLineRun.Json(command);
        string file = matched.GetProperty("samplers")[0].GetProperty("file").GetString()!;
        Assert.Equal("euler", Assert.IsType<FittedSolver>(Sampler.Read(file).Solver).Base.Name);
        await CommandLineRun.Json(
            ["sample", "--model", tuned, "--dtype", "float32", "--sampler", file, "--seeds", "0-1", "--grid", _world.At("own.png")]);
        await CommandLineRun.Refused("name one or more to match", Match(_world.At("none"), ("--sampler", null)));
    }

    [Theory]
    [InlineData("--classifier", null, "one network must say")]
    [InlineData("--detail", "-1", "the weight of the finest detail must be 0 to 1000")]
    [InlineData("--inception", "weights.safetensors", "one network must say")]
    [InlineData("--classifier", "nowhere", "nowhere")]
    [InlineData("--latents", "100", "at least 256 latents")]
    [InlineData("--iterations", "0", "iterations must be 1")]
    [InlineData("--match-images", "100", "at least 256 real images")]
    [InlineData("--sampler", "phase1/euler/3", "find its sampler first")]
    [InlineData("--sampler", "karras/lcm/3", "adds noise")]
    [InlineData("--data", "own-samples", "name real images")]
    [InlineData("--label", "4", "none of the model's 4 classes")]
    public async Task Bad_options_are_one_line_and_leave_nothing(string option, string? value, string fragment)
    {
        await CommandLineRun.Refused(fragment, Match(_world.At("bad"), (option, value)));
        Assert.False(Directory.Exists(_world.At("bad")));
    }

    [Fact]
    public async Task Too_few_images_and_samplers_of_equal_steps_are_refused()
    {
        await CommandLineRun.Refused("There are 60 real images to match", Match(_world.At("bad"), ("--data", _world.Data)));
        await CommandLineRun.Refused("2 steps both", [.. Match(_world.At("bad")), "--sampler", "uniform-t/euler/2"]);
        Assert.False(Directory.Exists(_world.At("bad")));
    }

    private MatchedSampler MatchInto(string folder, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using var model = Model.Open(_world.Model, new ModelOptions { ComputeType = ScalarType.Float32 });
        using var images = ImageSets.Open(_images, cancellation: cancellation);
        var options = MatchOptions.By(_world.Classifier) with { Latents = 256, HeldOutLatents = 256, Iterations = 2 };
        return Assert.Single(MatchFolder.Write(
            _world.At(folder), model, [model.CreateSampler("karras/euler/2")], options, images, 0, progress, cancellation)).Match;
    }

    // Null leaves an option out.
    private string[] Match(string folder, params (string Option, string? Value)[] changes)
    {
        var options = new Dictionary<string, string?>
        {
            ["--model"] = _world.Model,
            ["--data"] = _images,
            ["--dtype"] = "float32",
            ["--classifier"] = _world.Classifier,
            ["--latents"] = "256",
            ["--held-out"] = "256",
            ["--iterations"] = "2",
            ["--out"] = folder,
        };
        foreach (var (option, value) in changes)
            options[option] = value;
        string[] samplers = changes.Any(c => c.Option == "--sampler") ? []
            : ["--sampler", "karras/euler/2", "--sampler", "karras/ipndm:2/3"];
        return ["match", .. samplers, .. options.Where(o => o.Value is not null).SelectMany(o => new[] { o.Key, o.Value! })];
    }
}
