using FewStep.Models;
using FewStep.Search;
using FewStep.Tests.Cli;

namespace FewStep.Tests.Sampling;

public sealed class ScheduleRangeTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    private const string Mixture = """
        {"kind":"gaussian-mixture","weights":[0.3,0.7],"means":[[0.8,0.8,0.8,0.8],[-0.6,-0.6,-0.6,-0.6]],"stds":[0.15,0.2],
        "shape":[1,2,2],"sigma_min":0.0064,"sigma_max":80}
        """;

    private static readonly ModelOptions Exact = new() { ComputeType = ScalarType.Float32, Device = DeviceChoice.Cpu };

    private static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "golden", "checkpoints", name);

    [Theory]
    [InlineData("iddpm-adm-cond.pkl", 80)] // its own is 20,291
    [InlineData("edm-adm-cond.pkl", 80)]
    [InlineData("vp-ddpmpp-uncond.pkl", 152)]
    [InlineData("ve-ncsnpp-uncond.pkl", 100)]
    public void Schedules_begin_at_the_models_own_level_or_at_80_where_that_is_far_above(string name, double first)
    {
        using var model = Model.Open(Golden(name), Exact);
        var schedule = model.CreateSampler("karras/euler/4").Schedule;
        Assert.Equal(first, schedule.Sigmas[0], 0);
        Assert.Equal(model.Denoiser.SigmaMin, schedule.Sigmas[^1]);
        Assert.Equal(schedule.Sigmas[0], model.DefaultSampler.Schedule.Sigmas[0]);
    }

    [Fact]
    public void What_is_asked_for_wins_within_what_the_model_was_made_for()
    {
        string path = Golden("iddpm-adm-cond.pkl");
        using (var model = Model.Open(path, Exact with { SigmaMin = 0.1, SigmaMax = 500 }))
        {
            Assert.Equal([500, 0.1], model.CreateSampler("karras/euler/1").Schedule.Sigmas);
            // A schedule that is given may still begin wherever the model was trained.
            string given = world.Write("given.json", "[20000, 80, 1]");
            Assert.Equal(20000, model.CreateSampler(given, "euler", 2).Schedule.Sigmas[0]);
        }

        string own = Assert.Throws<InvalidInputException>(() => Model.Open(path, Exact with { SigmaMax = 30000 })).Message;
        Assert.Contains("made for 0.00", own, StringComparison.Ordinal);
        Assert.Contains("20291", own, StringComparison.Ordinal);
        foreach (var (low, high) in new (double?, double?)[] { (90, null), (1, 0.5), (null, double.NaN), (0, null), (-1, null) })
            Assert.Throws<InvalidInputException>(() => Model.Open(path, Exact with { SigmaMin = low, SigmaMax = high }));
    }

    [Theory]
    [InlineData(null, 0.450)]
    [InlineData(20291.0, 0.080)]
    public void Steps_above_80_are_lost(double? sigmaMax, double deviation)
    {
        using var model = Model.Open(world.Write("mixture.json", Mixture), new ModelOptions { SigmaMax = sigmaMax });
        var sampler = model.CreateSampler("karras/euler/4");
        Assert.Equal((sigmaMax ?? 80, 0.0064), (sampler.Schedule.Sigmas[0], sampler.Schedule.Sigmas[^1]));
        using var samples = model.Sample(2048, sampler);
        Assert.Equal(deviation, samples.Images.to(float64).std().item<double>(), 0.01);
    }

    [Fact]
    public async Task Every_verb_that_makes_schedules_takes_the_range()
    {
        string model = Golden("iddpm-adm-cond.pkl");
        async Task<double> First(params string[] arguments)
        {
            var result = await CommandLineRun.Json(["schedule", "--model", model, "--optimizer", "dm-nonuniform", "--steps", "3", "--out",
                world.At("schedules"), .. arguments]);
            return result.GetProperty("schedules")[0].GetProperty("sigmas")[0].GetDouble();
        }

        Assert.Equal(80, await First());
        Assert.Equal(40, await First("--sigma-max", "40"));
        string[] export = ["export", "--schedule", "karras", "--steps", "4", "--to", "sigmas", "--model", model];
        Assert.StartsWith("80.0, ", (await CommandLineRun.Of(export)).Output, StringComparison.Ordinal);
        Assert.StartsWith("200.0, ", (await CommandLineRun.Of([.. export, "--sigma-max", "200"])).Output, StringComparison.Ordinal);
        string[] sample = ["sample", "--model", model, "--seeds", "0", "--steps", "2"];
        var sampled = await CommandLineRun.Json([.. sample, "--sigma-max", "30", "--sigma-min", "0.5", "--out", world.At("images")]);
        Assert.Equal((30, 0.5), (sampled.GetProperty("sigmas")[0].GetDouble(), sampled.GetProperty("sigmas")[2].GetDouble()));
        var inspected = await CommandLineRun.Json("inspect", model);
        Assert.Equal(80, inspected.GetProperty("schedule_sigma_max").GetDouble());
        Assert.Equal(20291, inspected.GetProperty("sigma_max").GetDouble(), 0);
        foreach (string verb in new[] { "sample", "schedule", "fit", "export", "evaluate", "compare", "run", "tune" })
        {
            string help = (await CommandLineRun.Of(verb, "--help")).Output;
            Assert.All(["--sigma-min", "--sigma-max"], option => Assert.Contains(option, help, StringComparison.Ordinal));
        }

        string given = world.Write("given-range.json", "[20, 1]");
        await CommandLineRun.Refused("--sigma-max does nothing without a schedule that is made", "sample", "--model", world.Model,
            "--schedule", given, "--sigma-max", "30", "--out", world.At("never"));
        await CommandLineRun.Refused("--sigma-min does nothing without", "tune", "--model", world.Model, "--schedule", given,
            "--sigma-min", "0.1", "--out", world.At("never"));
        await CommandLineRun.Refused("--sigma-max does nothing without", "evaluate", "--model", world.Model, "--data", world.Data,
            "--classifier", world.Classifier, "--schedules", given, "--sigma-max", "30", "--out", world.At("never"));
        await CommandLineRun.Refused("the model was made for 0.002 to 80", "fit", "--model", world.Model, "--data", world.Data,
            "--sigma-max", "90", "--out", world.At("never"));
        Assert.False(Directory.Exists(world.At("never")));
    }

    [Fact]
    public async Task A_loss_curve_and_the_trials_of_an_evaluation_keep_to_the_range()
    {
        string folder = world.At("evaluated");
        string[] evaluate = ["evaluate", "--model", world.Model, "--data", world.Data, "--classifier", world.Classifier, "--samples", "4",
            "--ranges", "2", "--strip-seeds", "0", "--schedules", "karras,phase1", "--steps", "2", "--curve-images", "16", "--curve-points",
            "8", "--dtype", "float32", "--out", folder];
        foreach (double high in new[] { 50, 20.0 })
        {
            string text = high.ToString(CultureInfo.InvariantCulture);
            var summary = await CommandLineRun.Json([.. evaluate, "--sigma-max", text, "--sigma-min", "0.01"]);
            Assert.All(summary.GetProperty("trials").EnumerateArray(), trial => Assert.Equal(
                (high, 0.01), (trial.GetProperty("sigmas")[0].GetDouble(), trial.GetProperty("sigmas")[2].GetDouble())));
            var curve = LossCurveFile.Read(Path.Combine(folder, "loss-curve.json"));
            Assert.Equal((0.01, high), (curve.Sigmas[0], curve.Sigmas[^1]));
        }
    }
}
