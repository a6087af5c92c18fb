using System.Text.Json;

namespace FewStep.Tests.Cli;

public sealed class RunVerbTests : IDisposable
{
    private readonly TinyWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task A_whole_run_of_two_rounds_is_repeated_by_its_seed_and_resumed_without_work()
    {
        string first = _world.At("first"), second = _world.At("second");
        var result = await CommandLineRun.Json(Run(first));
        string[] names = [.. result.GetProperty("trials").EnumerateArray().Select(e => e.GetProperty("schedule").GetString()!)];
        // 4 standard schedules, both readings of Phase 1, two other solvers on two of them, the fitted sampler, the tuned model, the
        // teacher
        Assert.Equal(13, names.Length);
        Assert.Equal(2, result.GetProperty("tuning_rounds").GetArrayLength());
        Assert.Equal([7L, 8L], result.GetProperty("image_strips")[0].GetProperty("seeds").EnumerateArray().Select(s => s.GetInt64()));
        Assert.All(
            ["manifest.json", "loss-curve.json", "fitted.sampler.json", "sampler.json", "model.safetensors", "config.json", "metrics.json",
                "metrics.csv",
                "report.html", "report.md"],
            name => Assert.True(File.Exists(Path.Combine(first, name)), name));
        Assert.DoesNotContain("src=\"http", await File.ReadAllTextAsync(Path.Combine(first, "report.html")), StringComparison.Ordinal);

        Assert.Equal(Distances(result), Distances(await CommandLineRun.Json(Run(second))));
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(first, "model.safetensors")), File.ReadAllBytes(Path.Combine(second, "model.safetensors")));

        await CommandLineRun.Refused("--resume", Run(first));
        string stored = await File.ReadAllTextAsync(Path.Combine(first, "measurements.json"));
        Assert.Equal(Distances(result), Distances(await CommandLineRun.Json([.. Run(first), "--resume"])));
        Assert.Equal(stored, await File.ReadAllTextAsync(Path.Combine(first, "measurements.json")));
        await CommandLineRun.Refused("other options (tuning.updates is 4 there, 5 here)", [.. Run(first, "--updates", "5"), "--resume"]);
    }

    [Fact]
    public async Task Phase_1_alone_leaves_the_weights_untouched()
    {
        string folder = _world.At("phase 1's");
        var result = await CommandLineRun.Json(Run(folder, "--rounds", "0"));
        var run = result.GetProperty("manifest");
        Assert.Contains(OperatingSystem.IsWindows() ? "phase 1's\"" : "phase 1'\\''s'", run.GetProperty("command_line").GetString(),
            StringComparison.Ordinal);
        Assert.True(run.GetProperty("seconds").GetDouble()
            >= result.GetProperty("ledger").EnumerateArray().Sum(l => l.GetProperty("seconds").GetDouble()));
        var measured = File.GetLastWriteTimeUtc(Path.Combine(folder, "reference.safetensors"));
        var again = (await CommandLineRun.Json([.. Run(folder, "--rounds", "0"), "--resume"])).GetProperty("manifest");
        Assert.Equal(run.GetProperty("command_line").GetString(), again.GetProperty("command_line").GetString());
        Assert.True(again.GetProperty("seconds").GetDouble() > run.GetProperty("seconds").GetDouble());
        Assert.Equal(measured, File.GetLastWriteTimeUtc(Path.Combine(folder, "reference.safetensors")));
        Assert.Equal(0, result.GetProperty("tuning_rounds").GetArrayLength());
        Assert.False(File.Exists(Path.Combine(folder, "model.safetensors")));
        Assert.True(File.Exists(Path.Combine(folder, "sampler.json")));
    }

    [Fact]
    public async Task Schedules_are_found_tuned_to_and_sampled()
    {
        string schedules = _world.At("schedules");
        var found = await CommandLineRun.Json("schedule", "--model", _world.Model, "--data", _world.Data, "--steps", "1,2,3",
            "--curve-images", "8", "--curve-points", "8", "--out", schedules);
        Assert.Equal(6, found.GetProperty("schedules").GetArrayLength());
        string file = Path.Combine(schedules, "phase1-power-0-n2.sampler.json");
        foreach (string loss in (string[])["trajectory", "denoise"])
        {
            string tuned = _world.At(loss);
            var report = await CommandLineRun.Json(
                "tune", "--model", _world.Model, "--data", _world.Data, "--schedule", file, "--loss", loss, "--updates",
                "4", "--tune-batch", "2", "--micro-batch", "1", "--snapshots", "none", "--check-every", "2", "--held-out", "4", "--dtype",
                "float32", "--out", tuned);
            Assert.False(Directory.Exists(Path.Combine(tuned, "snapshots")));
            Assert.Equal("all_updates", report.GetProperty("stop").GetString());
            var sampled = await CommandLineRun.Of("sample", "--model", tuned, "--seeds", "0-1", "--out", _world.At(loss, "images"));
            Assert.Equal(0, sampled.Code);
        }
    }

    [Fact]
    public async Task A_comparison_by_FID_asks_for_the_weights_first()
    {
        string weights = _world.At("inception.pth"), folder = _world.At("fid");
        await CommandLineRun.Refused("no weight file", [.. Run(folder, "--inception", weights), "--features", "inception"]);
        await File.WriteAllTextAsync(weights, "not weights");
        await CommandLineRun.Refused("inception.pth", [.. Run(folder, "--inception", weights), "--features", "inception"]);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task Data_need_no_splits()
    {
        string images = Path.Combine(_world.Data, "train-images-idx3-ubyte.gz"), other = Path.Combine(
            _world.Data, "t10k-images-idx3-ubyte.gz"), folder = _world.At("plain");
        await CommandLineRun.Refused("no test split", Run(folder, "--data", images));
        var result = await CommandLineRun.Json([.. Run(folder, "--data", images), "--reference", other]);
        Assert.Equal(60, result.GetProperty("data").GetProperty("held_out_images").GetInt32());
        string manifest = await File.ReadAllTextAsync(Path.Combine(folder, "manifest.json"));
        Assert.Contains("\"tuning.updates\"", manifest, StringComparison.Ordinal);
        await CommandLineRun.Json("schedule", "--model", _world.Model, "--data", images, "--steps", "2", "--curve-images", "8",
            "--curve-points", "8", "--out", _world.At("plain-schedules"));
    }

    [Fact]
    public async Task A_schedule_is_searched_by_short_tunings()
    {
        string folder = _world.At("searched");
        string[] tune = ["tune", "--model", _world.Model, "--schedule", "karras,log-snr", "--updates", "4", "--tune-batch", "2",
            "--check-every", "2", "--held-out", "4", "--dtype", "float32", "--search", "3", "--search-updates", "2", "--out", folder];
        await CommandLineRun.Refused("needs a number of steps", tune);
        await CommandLineRun.Json([.. tune, "--steps", "2"]);
        using var candidates = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "candidates.json")));
        Assert.Equal(3, candidates.RootElement.GetProperty("candidates").GetArrayLength());
        var best = candidates.RootElement.GetProperty("candidates").EnumerateArray().MinBy(c => c.GetProperty("distance").GetDouble());
        using var chosen = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "sampler.json")));
        Assert.Equal(best.GetProperty("sigmas").EnumerateArray().Select(s => s.GetDouble()),
            chosen.RootElement.GetProperty("sigmas").EnumerateArray().Select(s => s.GetDouble()));
    }

    [Theory]
    [InlineData("--steps", "0", "steps")]
    [InlineData("--rounds", "-1", "rounds")]
    [InlineData("--samples", "1", "samples")]
    [InlineData("--updates", "0", "updates")]
    [InlineData("--loss", "lpips", "none of regression, trajectory, endpoint, consistency, denoise")]
    [InlineData("--power", "NaN", "ower")]
    [InlineData("--power", "77", "power must lie between -4 and 4")]
    [InlineData("--samples", "2000000000", "leave the seeds of evaluations")]
    [InlineData("--seed", "-1", "seed must be")]
    [InlineData("--curve-points", "3", "points must lie")]
    [InlineData("--micro-batch", "0", "micro-batch must lie")]
    [InlineData("--strip-seeds", "0-64", "64 seeds")]
    [InlineData("--batch", "0", "batch must lie")]
    [InlineData("--classifier", "nowhere", "nowhere")]
    [InlineData("--resume", null, "no run to resume")]
    public async Task Bad_options_are_one_line_and_leave_nothing(string option, string? value, string fragment)
    {
        string folder = _world.At("never");
        await CommandLineRun.Refused(fragment, value is null ? [.. Run(folder), option] : Run(folder, option, value));
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task What_a_library_cannot_write_is_one_line_too()
    {
        string folder = _world.At("tuned-here");
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "events"), "in the way");
        await CommandLineRun.Refused("events", "tune", "--model", _world.Model, "--schedule", "karras", "--steps", "1", "--updates", "2",
            "--tune-batch", "2", "--out", folder);
    }

    [Fact]
    public async Task An_interrupted_run_says_how_to_go_on()
    {
        string folder = _world.At("interrupted");
        string[] arguments = Run(folder, "--updates", "1000000");
        var run = await CommandLineRun.UntilThereIs(Path.Combine(folder, "loss-curve.json"), arguments);
        Assert.Equal((130, ""), (run.Code, run.Output));
        Assert.Contains($"--out {folder} --resume", run.Messages, StringComparison.Ordinal);
        Assert.Contains("\"seconds\"", await File.ReadAllTextAsync(Path.Combine(folder, "manifest.json")), StringComparison.Ordinal);
        using var interrupted = new CancellationTokenSource();
        await interrupted.CancelAsync();
        Assert.Equal(130, (await CommandLineRun.Until(interrupted.Token, [.. arguments, "--resume"])).Code);
    }

    [Fact]
    public async Task An_interrupted_tuning_goes_on_where_it_was()
    {
        string folder = _world.At("long");
        string[] arguments = [.. Tune(folder), "--updates", "1000000", "--checkpoint-seconds", "0", "--json"];
        long updates = 0;
        for (int sitting = 0; sitting < 2; sitting++)
        {
            var run = await CommandLineRun.UntilThereIs(Path.Combine(folder, "tuning.safetensors"), arguments);
            Assert.Equal(130, run.Code);
            using var report = JsonDocument.Parse(run.Output);
            Assert.Equal("cancelled", report.RootElement.GetProperty("stop").GetString());
            Assert.InRange(report.RootElement.GetProperty("updates").GetInt64(), Math.Max(1, updates), 999_999);
            updates = report.RootElement.GetProperty("updates").GetInt64();
        }

        await CommandLineRun.Refused("options.learning_rate is 0.0004 there, 0.001 here", [.. arguments[..^1], "--learning-rate", "0.001"]);
        Assert.True(File.Exists(Path.Combine(folder, "model.safetensors")));
    }

    [Fact]
    public async Task A_tuning_that_diverges_says_so_and_keeps_what_there_is()
    {
        string folder = _world.At("diverged");
        await CommandLineRun.Refused("Tuning diverged", [.. Tune(folder), "--updates", "20", "--learning-rate", "1e30"]);
        Assert.Contains("\"diverged\"", await File.ReadAllTextAsync(Path.Combine(folder, "tuning-curve.json")), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder, "model.safetensors")));
    }

    [Fact]
    public async Task A_training_that_is_refused_or_diverges_leaves_nothing_that_is_not_there()
    {
        string folder = _world.At("training"), config = Path.Combine(_world.Model, "config.json");
        string[] train = ["train", "--config", config, "--data", _world.Data, "--batch", "4", "--warm-up", "0", "--out", folder];
        await CommandLineRun.Refused("learning rate", [.. train, "--images", "8", "--learning-rate", "-1"]);
        Assert.False(Directory.Exists(folder));
        await CommandLineRun.Refused("start in a new folder.", [.. train, "--images", "400", "--learning-rate", "1e30"]);
        Assert.False(File.Exists(Path.Combine(folder, "training.safetensors")));
        string other = _world.At("trained");
        train[^1] = other;
        await CommandLineRun.Json([.. train, "--images", "96"]);
        int events = Directory.GetFiles(Path.Combine(other, "events")).Length;
        await CommandLineRun.Refused("options.seed is 0 there, 3 here", [.. train, "--images", "200", "--seed", "3"]);
        Assert.Equal(events, Directory.GetFiles(Path.Combine(other, "events")).Length);
    }

    private string[] Tune(string folder) =>
        ["tune", "--model", _world.Model, "--schedule", "karras", "--steps", "1", "--tune-batch", "2", "--check-every", "2", "--held-out",
            "2", "--patience", "0", "--dtype", "float32", "--out", folder];

    private string[] Run(string folder, string? option = null, string? value = null)
    {
        var options = new Dictionary<string, string>
        {
            ["--model"] = _world.Model,
            ["--data"] = _world.Data,
            ["--classifier"] = _world.Classifier,
            ["--steps"] = "2",
            ["--rounds"] = "2",
            ["--updates"] = "4",
            ["--tune-batch"] = "2",
            ["--check-every"] = "2",
            ["--held-out"] = "4",
            ["--samples"] = "4",
            ["--ranges"] = "2",
            ["--strip-seeds"] = "7,8",
            ["--curve-images"] = "8",
            ["--curve-points"] = "8",
            ["--dtype"] = "float32",
            ["--out"] = folder,
        };
        if (option is not null)
            options[option] = value!;
        return ["run", .. options.SelectMany(o => new[] { o.Key, o.Value })];
    }

    private static string[] Distances(JsonElement run) => [.. run.GetProperty("trials").EnumerateArray()
        .Select(e => e.GetProperty("figures").GetProperty("fd").GetProperty("ranges").GetRawText())];
}
