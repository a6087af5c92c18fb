using System.Text.Json;
using FewStep.Checkpoints;
using FewStep.Networks;
using FewStep.Tests.Onnx;

namespace FewStep.Tests.Cli;

/// <summary>ONNX files and guidance through the command line.</summary>
public sealed class SampledModelTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Fact]
    public async Task An_onnx_file_is_sampled_searched_and_compared_but_not_tuned()
    {
        string onnx = Gaussian("gauss.onnx");
        var sampled = await CommandLineRun.Json(
            "sample", "--model", onnx, "--seeds", "0-4", "--steps", "3", "--batch", "2", "--out", world.At("onnx-samples"));
        Assert.Equal((3, "onnx"), (sampled.GetProperty("evaluations_per_image").GetInt32(), sampled.GetProperty("dtype").GetString()));
        Assert.Equal("denoised, sigma", sampled.GetProperty("model").GetProperty("preconditioning").GetString());
        Assert.Equal(64, sampled.GetProperty("model").GetProperty("hash").GetString()!.Length);

        string schedules = world.At("onnx-schedules");
        var found = await CommandLineRun.Json("schedule", "--model", onnx, "--data", world.Data, "--steps", "2", "--curve-points", "8",
            "--curve-images", "8", "--out", schedules);
        string schedule = found.GetProperty("schedules")[0].GetProperty("file").GetString()!;
        var compared = await CommandLineRun.Json(
            "compare", "--model", onnx, "--data", world.Data, "--classifier", world.Classifier, "--schedules", $"karras,{schedule}",
            "--solvers", "euler", "--nfe", "2", "--samples", "6", "--ranges", "2",
            "--metrics", "fd", "--strip-seeds", "none", "--out", world.At("onnx-compare"));
        Assert.Equal(2, compared.GetProperty("trials").GetArrayLength());
        var evaluated = await CommandLineRun.Json(
            "evaluate", "--model", onnx, "--data", world.Data, "--classifier", world.Classifier, "--schedules", schedule, "--samples", "6",
            "--ranges", "1", "--strip-seeds", "none", "--out", world.At("onnx-evaluate"));
        Assert.Equal(
            sampled.GetProperty("model").GetProperty("hash").GetString(), evaluated.GetProperty("model").GetProperty("hash").GetString());
        await CommandLineRun.Refused("cannot be tuned", "tune", "--model", onnx, "--schedule", schedule, "--out", world.At("onnx-tuned"));
        await CommandLineRun.Refused("cannot be tuned", "run", "--model", onnx, "--data", world.Data, "--out", world.At("onnx-run"));
        await CommandLineRun.Refused("are for checkpoints", "sample", "--model", onnx, "--steps", "1", "--seeds", "0", "--model-noise",
            "vp-linear", "--out", world.At("none"));
        await CommandLineRun.Refused("--model-noise 'linear' is none of vp-linear", "sample", "--model", onnx, "--steps", "1",
            "--model-noise", "linear", "--out", world.At("none"));
        await CommandLineRun.Refused("is no ONNX file", "sample", "--model", world.At("model"), "--steps", "1", "--seeds", "0",
            "--onnx-noise", "vp-linear", "--out", world.At("none"));
        await CommandLineRun.Refused("--onnx-shape 'big'", "sample", "--model", onnx, "--steps", "1", "--seeds", "0", "--onnx-shape", "big",
            "--out", world.At("none"));
        await CommandLineRun.Refused("--onnx-prediction 'noise'", "sample", "--model", onnx, "--steps", "1", "--onnx-prediction", "noise",
            "--out", world.At("none"));
    }

    [Fact]
    public async Task Guidance_is_counted_recorded_and_another_model_to_the_store()
    {
        string model = WithLabelDropout("dropout", 1), weak = WithLabelDropout("weak", 2), folder = world.At("guided");
        var plain = await Sampled(model, "plain");
        var guided = await Sampled(model, "cfg", "--guidance", "2");
        var partly = await Sampled(model, "interval", "--guidance", "2", "--guidance-interval", "1,100");
        var auto = await Sampled(model, "auto", "--guidance", "2", "--guide", weak);
        // karras: 80, 2.5 and 0.17 at three steps
        Assert.Equal([3, 6, 5, 6], new[] { plain, guided, partly, auto }.Select(m => m.GetProperty("evaluations_per_image").GetInt32()));
        Assert.Equal("classifier-free, weight 2", guided.GetProperty("model").GetProperty("guidance").GetString());
        Assert.Equal("guided by tiny, weight 2", auto.GetProperty("model").GetProperty("guidance").GetString());
        Assert.False(plain.GetProperty("model").TryGetProperty("guidance", out _));
        Assert.Equal(4,
            new[] { plain, guided, partly, auto }.Select(m => m.GetProperty("model").GetProperty("hash").GetString()).Distinct().Count());

        string[] evaluate = ["evaluate", "--model", model, "--data", world.Data, "--classifier", world.Classifier, "--schedules", "karras",
            "--steps", "2", "--samples", "6", "--ranges", "1", "--strip-seeds", "none", "--out", folder];
        await CommandLineRun.Json(evaluate);
        var second = await CommandLineRun.Json([.. evaluate, "--guidance", "2"]);
        Assert.Equal(4, second.GetProperty("trials")[0].GetProperty("evaluations_per_image").GetInt32());
        using var store = JsonDocument.Parse(
            await File.ReadAllBytesAsync(Path.Combine(folder, "measurements.json"), TestContext.Current.CancellationToken));
        Assert.Equal(2, store.RootElement.GetProperty("ranges").GetArrayLength());
    }

    [Fact]
    public async Task A_student_learns_from_a_guided_teacher()
    {
        string model = WithLabelDropout("teacher", 3), plain = world.At("student-plain"), guided = world.At("student-guided");
        string[] tune = ["tune", "--model", model, "--schedule", "karras", "--steps", "2", "--updates", "2", "--tune-batch", "4",
            "--held-out", "4", "--teacher-substeps", "1", "--dtype", "float32"];
        var first = await CommandLineRun.Json([.. tune, "--out", plain]);
        var second = await CommandLineRun.Json([.. tune, "--out", guided, "--guidance", "3"]);
        long Teacher(JsonElement report) => report.GetProperty("evaluations").GetProperty("teacher").GetInt64();
        // label dropout leaves some latents without a class, which are not guided
        Assert.InRange(Teacher(second), Teacher(first) + 1, 2 * Teacher(first));
        Assert.NotEqual(first.GetProperty("best_held_out").GetDouble(), second.GetProperty("best_held_out").GetDouble());
        await CommandLineRun.Refused("teacher", [.. tune, "--out", guided, "--guidance", "4"]);
        await CommandLineRun.Refused(
            "A guided teacher is learned from", [.. tune, "--out", world.At("no"), "--guidance", "3", "--search", "2"]);
    }

    [Theory]
    [InlineData("without label dropout", "--guidance", "2")]
    [InlineData("does nothing without --guidance", "--guide", "x")]
    [InlineData("does nothing without --guidance", "--guidance-interval", "1,2")]
    [InlineData("two noise levels", "--guidance", "2", "--guidance-interval", "1")]
    [InlineData("interval 3 to 1", "--guidance", "2", "--guidance-interval", "3,1")]
    [InlineData("weight -2", "--guidance", "-2")]
    [InlineData("There is no model at", "--guidance", "2", "--guide", "nowhere")]
    public Task Guidance_that_does_not_fit_is_refused(string fragment, params string[] arguments) =>
        CommandLineRun.Refused(
            fragment, ["sample", "--model", world.Model, "--steps", "1", "--seeds", "0", "--out", world.At("none"), .. arguments]);

    private Task<JsonElement> Sampled(string model, string name, params string[] more) =>
        CommandLineRun.Json(["sample", "--model", model, "--steps", "3", "--seeds", "0-2", "--dtype", "float32", "--out",
            world.At("samples-" + name), .. more]);

    private string WithLabelDropout(string name, long seed)
    {
        string folder = TinyWorld.WriteModel(world.At(name), seed);
        var config = FewStep.Platform.JsonFile.Read<ModelConfig>(Path.Combine(folder, ModelFolder.ConfigName));
        FewStep.Platform.JsonFile.Write(Path.Combine(folder, ModelFolder.ConfigName),
            config with { Network = (SongUNetOptions)config.Network with { LabelDropout = 0.1 } });
        return folder;
    }

    // D = x c^2 / (c^2 + sigma^2) for images of the world's shape.
    private string Gaussian(string name) => new OnnxFile()
        .Input("x", OnnxFile.Float, null, 1, 8, 8)
        .Input("sigma", OnnxFile.Float, [null])
        .Output("denoised", null, 1, 8, 8)
        .Floats("c2", [1], 0.25f)
        .Integers("column", [4], -1, 1, 1, 1)
        .Node("Mul", "s2", "sigma", "sigma")
        .Node("Add", "total", "s2", "c2")
        .Node("Div", "k", "c2", "total")
        .Node("Reshape", "column_k", "k", "column")
        .Node("Mul", "denoised", "x", "column_k")
        .Write(world.At(name));
}
