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
        string[] names = [.. result.GetProperty("evaluations").EnumerateArray().Select(e => e.GetProperty("schedule").GetString()!)];
        Assert.Equal(8, names.Length);
        Assert.Equal(2, result.GetProperty("tuning_rounds").GetArrayLength());
        Assert.All(
            ["manifest.json", "loss-curve.json", "run.schedule.json", "model.safetensors", "config.json", "metrics.json", "metrics.csv", "report.html", "report.md", "samples/strip-01.png"],
            name => Assert.True(File.Exists(Path.Combine(first, name)), name));
        Assert.DoesNotContain("src=\"http", await File.ReadAllTextAsync(Path.Combine(first, "report.html")), StringComparison.Ordinal);

        Assert.Equal(Distances(result), Distances(await CommandLineRun.Json(Run(second))));
        Assert.Equal(File.ReadAllBytes(Path.Combine(first, "model.safetensors")), File.ReadAllBytes(Path.Combine(second, "model.safetensors")));

        await CommandLineRun.Refused("--resume", Run(first));
        string stored = await File.ReadAllTextAsync(Path.Combine(first, "evaluations.json"));
        Assert.Equal(Distances(result), Distances(await CommandLineRun.Json([.. Run(first), "--resume"])));
        Assert.Equal(stored, await File.ReadAllTextAsync(Path.Combine(first, "evaluations.json")));
        await CommandLineRun.Refused("other options", [.. Run(first, "--updates", "5"), "--resume"]);
    }

    [Fact]
    public async Task Phase_1_alone_leaves_the_weights_untouched()
    {
        string folder = _world.At("phase1");
        var result = await CommandLineRun.Json(Run(folder, "--rounds", "0"));
        Assert.Equal(0, result.GetProperty("tuning_rounds").GetArrayLength());
        Assert.False(File.Exists(Path.Combine(folder, "model.safetensors")));
        Assert.True(File.Exists(Path.Combine(folder, "run.schedule.json")));
    }

    [Fact]
    public async Task Schedules_are_found_tuned_to_and_sampled()
    {
        string schedules = _world.At("schedules");
        var found = await CommandLineRun.Json("schedule", "--model", _world.Model, "--data", _world.Data, "--steps", "1,2,3", "--curve-images", "8", "--curve-points", "8", "--out", schedules);
        Assert.Equal(6, found.GetProperty("schedules").GetArrayLength());
        string file = Path.Combine(schedules, "phase1-power-0-n2.schedule.json");
        foreach (string loss in (string[])["trajectory", "denoise"])
        {
            string tuned = _world.At(loss);
            var report = await CommandLineRun.Json(
                "tune", "--model", _world.Model, "--data", _world.Data, "--schedule", file, "--loss", loss, "--updates", "4", "--tune-batch", "2", "--check-every", "2", "--held-out", "4", "--dtype", "float32", "--out", tuned);
            Assert.Equal("all_updates", report.GetProperty("stop").GetString());
            var sampled = await CommandLineRun.Of("sample", "--model", Path.Combine(tuned, "model"), "--schedule", Path.Combine(tuned, "run.schedule.json"), "--seeds", "0-1", "--out", _world.At(loss, "images"));
            Assert.Equal(0, sampled.Code);
        }
    }

    [Fact]
    public async Task Data_need_no_splits()
    {
        string images = Path.Combine(_world.Data, "train-images-idx3-ubyte.gz"), other = Path.Combine(_world.Data, "t10k-images-idx3-ubyte.gz"), folder = _world.At("plain");
        await CommandLineRun.Refused("no test split", Run(folder, "--data", images));
        var result = await CommandLineRun.Json([.. Run(folder, "--data", images), "--reference", other]);
        Assert.Equal(60, result.GetProperty("data").GetProperty("held_out_images").GetInt32());
        string manifest = await File.ReadAllTextAsync(Path.Combine(folder, "manifest.json"));
        Assert.Contains("\"tuning.updates\"", manifest, StringComparison.Ordinal);
        await CommandLineRun.Json("schedule", "--model", _world.Model, "--data", images, "--steps", "2", "--curve-images", "8", "--curve-points", "8", "--out", _world.At("plain-schedules"));
    }

    [Fact]
    public async Task A_schedule_is_searched_by_short_tunings()
    {
        string folder = _world.At("searched");
        string[] tune = ["tune", "--model", _world.Model, "--schedule", "karras,log-snr", "--updates", "4", "--tune-batch", "2", "--check-every", "2", "--held-out", "4", "--dtype", "float32", "--search", "3", "--search-updates", "2", "--out", folder];
        await CommandLineRun.Refused("needs a number of steps", tune);
        await CommandLineRun.Json([.. tune, "--steps", "2"]);
        using var candidates = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "candidates.json")));
        Assert.Equal(3, candidates.RootElement.GetProperty("candidates").GetArrayLength());
        var best = candidates.RootElement.GetProperty("candidates").EnumerateArray().MinBy(c => c.GetProperty("distance").GetDouble());
        using var chosen = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "run.schedule.json")));
        Assert.Equal(best.GetProperty("sigmas").EnumerateArray().Select(s => s.GetDouble()), chosen.RootElement.GetProperty("sigmas").EnumerateArray().Select(s => s.GetDouble()));
    }

    [Theory]
    [InlineData("--steps", "0", "steps")]
    [InlineData("--rounds", "-1", "rounds")]
    [InlineData("--samples", "1", "samples")]
    [InlineData("--updates", "0", "updates")]
    [InlineData("--loss", "lpips", "neither trajectory nor denoise")]
    [InlineData("--power", "NaN", "ower")]
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
        await CommandLineRun.Refused("events", "tune", "--model", _world.Model, "--schedule", "karras", "--steps", "1", "--updates", "2", "--tune-batch", "2", "--out", folder);
    }

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
            ["--curve-images"] = "8",
            ["--curve-points"] = "8",
            ["--dtype"] = "float32",
            ["--out"] = folder,
        };
        if (option is not null)
        {
            options[option] = value!;
        }

        return ["run", .. options.SelectMany(o => new[] { o.Key, o.Value })];
    }

    private static string[] Distances(JsonElement run) => [.. run.GetProperty("evaluations").EnumerateArray().Select(e => e.GetProperty("distance").GetProperty("ranges").GetRawText())];
}
