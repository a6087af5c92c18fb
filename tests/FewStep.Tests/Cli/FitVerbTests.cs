using System.Text.Json;
using FewStep.Solvers;

namespace FewStep.Tests.Cli;

public sealed class FitVerbTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Fact]
    public async Task Samplers_are_fitted_written_sampled_measured_tuned_to_and_refused_by_others()
    {
        string folder = world.At("fits");
        var result = await CommandLineRun.Json(Fit(folder));
        var samplers = result.GetProperty("samplers").EnumerateArray().ToArray();
        Assert.Equal([1, 2, 3], samplers.Select(s => s.GetProperty("steps").GetInt32()));
        Assert.Contains("<svg", await File.ReadAllTextAsync(Path.Combine(folder, "fit.html")), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder, "loss-curve.json")));
        foreach (var fit in samplers)
        {
            var sampler = Sampler.Read(fit.GetProperty("file").GetString()!);
            Assert.Equal(fit.GetProperty("solver").GetString(), sampler.Solver.Name);
            Assert.True(fit.GetProperty("held_out").GetDouble() <= fit.GetProperty("base").GetDouble());
            Assert.True(sampler.Origin.Evaluations > fit.GetProperty("network_evaluations").GetInt64()); // with the loss curve's
            if (sampler.Solver is FittedSolver)
            {
                Assert.Equal(("phase1", 16, "ipndm-v:3, 8 steps"),
                    (sampler.Origin.Schedule, sampler.Origin.Fit!.Latents, sampler.Origin.Fit.Teacher));
            }
        }

        string three = Path.Combine(folder, "n3.sampler.json");
        Assert.IsType<FittedSolver>(Sampler.Read(three).Solver);
        string[] model = ["--model", world.Model, "--dtype", "float32"], other = ["--model", world.Tuned, "--dtype", "float32"];
        await CommandLineRun.Json(["sample", .. model, "--sampler", three, "--seeds", "0-3", "--out", world.At("fit-samples")]);
        await CommandLineRun.Refused("fitted to another model", ["sample", .. other, "--sampler", three, "--grid", world.At("x.png")]);
        await CommandLineRun.Json(["sample", .. other, "--sampler", three, "--any-model", "--seeds", "0-1", "--grid", world.At("any.png")]);

        string[] measured = ["evaluate", "--data", world.Data, "--classifier", world.Classifier, "--samples", "4", "--ranges", "2",
            "--strip-seeds", "0", "--sampler", three, "--sampler", "karras/ipndm:2/3"];
        var summary = await CommandLineRun.Json([.. measured, .. model, "--out", world.At("fit-measured")]);
        Assert.Equal(2, summary.GetProperty("trials").GetArrayLength());
        Assert.Equal(3, summary.GetProperty("trials")[0].GetProperty("evaluations_per_image").GetInt32());
        await CommandLineRun.Refused("fitted to another model", [.. measured, .. other, "--out", world.At("refused")]);

        string tuned = world.At("fit-tuned");
        await CommandLineRun.Json(["tune", .. model, "--sampler", three, "--updates", "2", "--tune-batch", "2", "--held-out", "4",
            "--snapshots", "none", "--out", tuned]);
        Assert.Equal(Sampler.Read(three).Solver, Sampler.Read(Path.Combine(tuned, "sampler.json")).Solver);
        await CommandLineRun.Refused("has 2 updates already", ["tune", .. model, "--sampler", three, "--updates", "1", "--tune-batch", "2",
            "--held-out", "4", "--snapshots", "none", "--out", tuned]);
        string foreign = Path.GetDirectoryName(world.Write("foreign-config.json", "{}"))!;
        Directory.CreateDirectory(Path.Combine(foreign, "foreign"));
        File.Move(Path.Combine(foreign, "foreign-config.json"), Path.Combine(foreign, "foreign", "config.json"));
        await CommandLineRun.Refused("config.json, and no checkpoint beside it", ["tune", .. model, "--sampler", three, "--updates", "2",
            "--tune-batch", "2", "--held-out", "4", "--snapshots", "none", "--out", Path.Combine(foreign, "foreign")]);
        await CommandLineRun.Refused("is of another model", [.. Fit(folder).Select(a => a == world.Model ? world.Tuned : a)]);
        await CommandLineRun.Json(["sample", "--model", tuned, "--dtype", "float32", "--seeds", "0-1", "--grid", world.At("own.png")]);
        await CommandLineRun.Refused(
            "other guidance",
            ["sample", "--model", tuned, "--guidance", "2", "--guide", world.Tuned, "--dtype", "float32", "--grid", world.At("g.png")]);
        await CommandLineRun.Refused(
            "analytical", ["sample", .. model, "--sampler", three, "--analytical-first-step", "--grid", world.At("y.png")]);
        await CommandLineRun.Json(
            ["sample", .. other, "--schedule", three, "--solver", "euler", "--seeds", "0-1", "--grid", world.At("z.png")]);
        // Its sigmas with another solver: what the fit says is not theirs.
        string regressed = world.At("fit-regressed");
        await CommandLineRun.Json(["tune", .. model, "--schedule", three, "--solver", "euler", "--loss", "regression", "--updates", "2",
            "--tune-batch", "2", "--held-out", "4", "--snapshots", "none", "--out", regressed]);
        var sigmasAlone = Sampler.Read(Path.Combine(regressed, "sampler.json"));
        Assert.Equal(("euler", Sampler.Read(three).Schedule), (sigmasAlone.Solver.Name, sigmasAlone.Schedule));
        Assert.Null(sigmasAlone.Origin.Objective);
        var export = await CommandLineRun.Of("export", "--sampler", three, "--to", "comfyui");
        Assert.Contains("solver was fitted", export.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_file_and_any_schedule_is_fitted()
    {
        var fitted = await CommandLineRun.Json(Fit(world.At("one"), "--schedule", "karras"));
        await CommandLineRun.Json(Fit(world.At("two"), "--schedule", "karras"));
        string First(string folder) => File.ReadAllText(world.At(folder, "n2.sampler.json"));
        Assert.Equal(First("one"), First("two"));
        string[] mine = Fit(world.At("given"), "--schedule", world.Write("mine.json", "[80, 3, 0.4, 0.05, 0.002]"));
        await CommandLineRun.Refused("its own number of steps", mine);
        var given = await CommandLineRun.Json([.. mine.Where((_, i) => mine[i] != "--steps" && mine[Math.Max(0, i - 1)] != "--steps")]);
        Assert.Equal(4, given.GetProperty("samplers")[0].GetProperty("steps").GetInt32());
        Assert.False(File.Exists(world.At("given", "loss-curve.json")));

        var refined = await CommandLineRun.Json(
            [.. Fit(world.At("refined"), "--schedule", "karras"), "--refine", "1", "--distance", "pixels"]);
        long Evaluations(JsonElement fits) => fits.GetProperty("samplers")[1].GetProperty("network_evaluations").GetInt64();
        Assert.True(Evaluations(refined) > Evaluations(fitted));
        Assert.Empty(Directory.GetFiles(world.At("refined"), "refining-*"));
    }

    [Fact]
    public async Task A_sampler_is_fitted_for_one_class()
    {
        await CommandLineRun.Json(Fit(world.At("of-class"), "--label", "1"));
        await CommandLineRun.Json(Fit(world.At("of-none"), "--label", "-1"));
        string[] files = [.. new[] { "of-class", "of-none" }.Select(folder => world.At(folder, "n3.sampler.json"))];
        Assert.Equal([1, -1], files.Select(file => Sampler.Read(file).Origin.Fit?.Label));
        Assert.NotEqual(Sampler.Read(files[0]).Solver, Sampler.Read(files[1]).Solver);
    }

    [Theory]
    [InlineData("--corrections", "slope,magic", "'magic' is none of")]
    [InlineData("--latents", "2", "at least 8 latents")]
    [InlineData("--order", "0", "order must be at least 1")]
    [InlineData("--ridge", "-1", "ridge must be 0 to 1")]
    [InlineData("--teacher-solver", "magic", "There is no solver 'magic'")]
    [InlineData("--schedule", "magic", "There is no schedule 'magic'")]
    [InlineData("--steps", "0", "--steps")]
    [InlineData("--label", "4", "none of the model's 4 classes")]
    public async Task Bad_options_are_one_line_and_leave_nothing(string option, string value, string fragment)
    {
        await CommandLineRun.Refused(fragment, Fit(world.At("bad"), option, value));
        Assert.False(Directory.Exists(world.At("bad")));
    }

    private string[] Fit(string folder, string? option = null, string? value = null)
    {
        var options = new Dictionary<string, string>
        {
            ["--model"] = world.Model,
            ["--data"] = world.Data,
            ["--dtype"] = "float32",
            ["--steps"] = "1,2,3",
            ["--latents"] = "16",
            ["--held-out"] = "8",
            ["--teacher-steps"] = "8",
            ["--curve-images"] = "8",
            ["--curve-points"] = "8",
            ["--out"] = folder,
        };
        if (option is not null)
            options[option] = value!;
        return ["fit", .. options.SelectMany(o => new[] { o.Key, o.Value })];
    }
}
