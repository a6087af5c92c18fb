using FewStep.Checkpoints;

namespace FewStep.Tests.Cli;

/// <summary>A sampler of the embedded model goes out as ONNX, and is sampled, verified and inspected there.</summary>
public sealed class OnnxVerbsTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    private const double GreyLevel = 2.0 / 255;

    [Fact]
    public async Task A_sampler_of_the_embedded_model_makes_the_same_images_from_its_file()
    {
        string file = world.At("s.onnx"), own = world.At("own.npz"), made = world.At("made.npz");
        var written = await CommandLineRun.Json(
            "export", "--to", "onnx", "--sampler", "karras/ipndm:3/4", "--license", "CC0-1.0", "--output", file);
        Assert.Equal(("sampler", 4), (written.GetProperty("kind").GetString(), written.GetProperty("evaluations").GetInt32()));
        Assert.Equal(new FileInfo(file).Length, written.GetProperty("bytes").GetInt64());
        await CommandLineRun.Json("sample", "--sampler", "karras/ipndm:3/4", "--dtype", "float32", "--seeds", "0-3", "--output", own);
        var sampled = await CommandLineRun.Json("sample", "--model", file, "--seeds", "0-3", "--output", made);
        Assert.Equal(("karras", 4, 4.0), (sampled.GetProperty("schedule").GetString(), sampled.GetProperty("steps").GetInt32(),
            sampled.GetProperty("evaluations_per_image").GetDouble()));
        Assert.InRange(Values(own).Zip(Values(made), (a, b) => Math.Abs(a - b)).Max(), 0, GreyLevel);

        var verified = await CommandLineRun.Json("verify", "--model", file, "--reference", own, "--tolerance", "1e-4");
        Assert.True(verified.GetProperty("passed").GetBoolean());
        var one = await CommandLineRun.Json("sample", "--model", file, "--label", "Trouser", "--seeds", "0", "--output", made);
        Assert.Equal("1 (Trouser)", one.GetProperty("labels").GetString());
        var differs = await CommandLineRun.Of("verify", "--model", world.Model, "--reference", own);
        Assert.Equal(2, differs.Code); // samples are no outputs of a denoiser

        var said = await CommandLineRun.Json("inspect", file);
        Assert.Equal(("sampler", "fashion-mnist", "karras/ipndm:3/4", "CC0-1.0"), (said.GetProperty("kind").GetString(),
            said.GetProperty("model").GetString(), said.GetProperty("sampler").GetString(), said.GetProperty("license").GetString()));
        Assert.Contains("a whole sampler", (await CommandLineRun.Of("inspect", file)).Output, StringComparison.Ordinal);
        await CommandLineRun.Refused("--steps does nothing", "sample", "--model", file, "--steps", "3", "--output", made);
        await CommandLineRun.Refused("--guidance does nothing", "sample", "--model", file, "--guidance", "2", "--output", made);
        await CommandLineRun.Refused("a whole sampler", "fit", "--model", file, "--steps", "3", "--out", world.At("fits"));
    }

    [Fact]
    public async Task A_denoiser_needs_no_description_and_is_verified_like_its_model()
    {
        string file = world.At("m.onnx"), half = world.At("half.onnx"), samples = world.At("m.npz"), again = world.At("again.npz");
        await CommandLineRun.Json("export", "--to", "onnx", "--model", world.Model, "--output", file);
        string[] how = ["--schedule", "karras", "--steps", "2", "--solver", "heun", "--seeds", "0-2", "--output"];
        await CommandLineRun.Json(["sample", "--model", world.Model, "--dtype", "float32", .. how, samples]);
        await CommandLineRun.Json(["sample", "--model", file, .. how, again]);
        Assert.InRange(Values(samples).Zip(Values(again), (a, b) => Math.Abs(a - b)).Max(), 0, GreyLevel);
        var said = await CommandLineRun.Json("inspect", file);
        Assert.Equal(("denoiser", 4, 1), (said.GetProperty("kind").GetString(), said.GetProperty("classes").GetInt32(),
            said.GetProperty("evaluations").GetInt32()));
        var rounded = await CommandLineRun.Json(
            "export", "--to", "onnx", "--model", world.Model, "--weights-type", "float16", "--output", half);
        Assert.InRange(rounded.GetProperty("rounding_error").GetDouble(), 1e-6, 0.1);
        await CommandLineRun.Refused("cannot be tuned or converted", "export", "--to", "onnx", "--model", file, "--output", half);
    }

    [Theory]
    [InlineData("--output file.onnx")]
    [InlineData("does not end in .onnx", "--output", "model.bin")]
    [InlineData("thresholding=false", "--output", "s.onnx", "--sampler", "karras/dpmpp:3/4")]
    [InlineData("has no sampler of its own", "--output", "s.onnx", "--sampler", "own")]
    [InlineData("--steps does nothing without --sampler", "--output", "m.onnx", "--steps", "4")]
    [InlineData("--data does nothing without --sampler", "--output", "m.onnx", "--data", "nowhere")]
    [InlineData("--digits does nothing", "--output", "m.onnx", "--digits", "3")]
    [InlineData("--schedule", "--output", "m.onnx", "--schedule", "karras")]
    [InlineData("--sigma-min does nothing", "--output", "m.onnx", "--sigma-min", "0.1")]
    [InlineData("is none of float32, float16", "--output", "m.onnx", "--weights-type", "int8")]
    [InlineData("--guide does nothing", "--output", "m.onnx", "--guide", "other")]
    public async Task What_makes_no_sense_is_refused(string fragment, params string[] words)
    {
        string[] placed = [.. words.Select(w => w.Contains('.', StringComparison.Ordinal) && w[0] is 'm' or 's' ? world.At($"no-{w}") : w)];
        await CommandLineRun.Refused(fragment, ["export", "--to", "onnx", "--model", world.Model, .. placed]);
        Assert.Empty(Directory.GetFiles(world.At("."), "no-*"));
    }

    private static double[] Values(string path) => NpzFile.Read(path)["samples"].ToDoubles();
}
