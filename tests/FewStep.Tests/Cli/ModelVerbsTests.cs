using FewStep.Checkpoints;
using FewStep.Denoising;

namespace FewStep.Tests.Cli;

/// <summary><c>inspect</c>, <c>convert</c> and <c>verify</c>, and what every verb is told about a model.</summary>
public sealed class ModelVerbsTests : FolderTests
{
    private static readonly string[] Golden16 = ["--model-resolution", "16", "--model-head-channels", "16"];

    [Fact]
    public async Task Inspect_tells_what_a_model_is_and_what_was_assumed()
    {
        var json = await CommandLineRun.Json(["inspect", Golden("guided-diffusion-iddpm-uncond.pt"), .. Golden16]);
        Assert.Equal((0, 16, 6), (json.GetProperty("classes").GetInt32(), json.GetProperty("shape").GetProperty("height").GetInt32(),
            json.GetProperty("config").GetProperty("dhariwal_unet").GetProperty("out_channels").GetInt32()));
        Assert.Equal((1000, "vp-cosine"), (json.GetProperty("noise_levels").GetInt32(),
            json.GetProperty("config").GetProperty("preconditioning").GetProperty("noise").GetString()));
        Assert.True(json.GetProperty("parameters").GetInt64() > 100_000);
        var table = await CommandLineRun.Of(
            "inspect", Golden("guided-diffusion-adm-cond.pt"), "--model-head-channels", "16", "--model-resolution", "16");
        Assert.Equal(0, table.Code);
        Assert.Contains("DhariwalUNet (ADM)", table.Output, StringComparison.Ordinal);
        Assert.Contains("legacy order of attention is the default", table.Output, StringComparison.Ordinal);
        foreach (string name in new[] { "edm-ncsnpp-cond", "vp-ddpmpp-uncond", "iddpm-adm-cond" })
            Assert.Equal(0, (await CommandLineRun.Of("inspect", Golden(name + ".pkl"))).Code);
    }

    [Fact]
    public async Task Verify_agrees_with_the_reference_and_fails_with_code_1()
    {
        string model = Golden("guided-diffusion-adm-cond.pt"), reference = Golden("guided-diffusion-adm-cond.golden.npz");
        var good = await CommandLineRun.Json(["verify", "--model", model, "--reference", reference, .. Golden16]);
        Assert.True(good.GetProperty("passed").GetBoolean());
        Assert.InRange(good.GetProperty("largest_relative_error").GetDouble(), 1e-9, 2e-5);
        var bad = await CommandLineRun.Of(
            ["verify", "--model", model, "--reference", reference, "--model-attention-order", "new", .. Golden16]);
        Assert.Equal(1, bad.Code);
        Assert.Contains("DIFFERS", bad.Output, StringComparison.Ordinal);
        foreach (string name in new[] { "edm-adm-cond", "ve-ncsnpp-uncond" })
        {
            var denoised = await CommandLineRun.Of("verify", "--model", Golden(name + ".pkl"), "--reference", Golden(name + ".golden.npz"));
            Assert.True(denoised.Code == 0, denoised.Output + denoised.Messages);
        }
    }

    [Fact]
    public async Task Verify_takes_onnx_models_and_files_that_do_not_say_the_side()
    {
        string onnx = Path.Combine(AppContext.BaseDirectory, "golden", "onnx", "denoiser.onnx");
        string stored = Path.Combine(AppContext.BaseDirectory, "golden", "onnx", "onnx.golden.npz");
        var good = await CommandLineRun.Json("verify", "--model", onnx, "--reference", stored);
        Assert.InRange(good.GetProperty("largest_relative_error").GetDouble(), 1e-9, 2e-5);
        string epsilon = Path.Combine(AppContext.BaseDirectory, "golden", "onnx", "eps-model.onnx");
        var arrays = NpzFile.Read(stored);
        string raw = Arrays("raw.npz", ("x", arrays["sample"]), ("timesteps", arrays["timestep"]), ("output", arrays["out_sample"]));
        var output = await CommandLineRun.Json("verify", "--model", epsilon, "--reference", raw, "--onnx-prediction", "epsilon",
            "--onnx-noise", "vp-linear");
        Assert.Equal("output", output.GetProperty("compared")[0].GetProperty("array").GetString());
        Assert.True(output.GetProperty("passed").GetBoolean());
        await CommandLineRun.Refused("options about those", "verify", "--model", Golden("edm-adm-cond.pkl"), "--reference", stored,
            "--onnx-prediction", "epsilon");

        // The golden network is of 16 pixels; nothing but the reference says so.
        var side = await CommandLineRun.Of("verify", "--model", Golden("guided-diffusion-adm-cond.pt"), "--reference",
            Golden("guided-diffusion-adm-cond.golden.npz"), "--model-head-channels", "16");
        Assert.True(side.Code == 0, side.Output + side.Messages);
    }

    [Fact]
    public async Task Verify_knows_how_the_reference_rounds_noise_labels()
    {
        string stored;
        using (NewDisposeScope())
        using (var source = ModelSource.Open(Golden("vp-ddpmpp-uncond.pkl")))
        {
            var vp = (VpPreconditioning)source.Denoiser.Preconditioning;
            Tensor x = randn(2, 3, 16, 16), sigma = tensor(new[] { 0.0011f, 0.02f }), column = sigma.view(2, 1, 1, 1);
            Tensor denoised = x - column * source.Denoiser.Raw(x / (column * column + 1).sqrt(), vp.RoundedLabels(sigma), null);
            NpyArray Array(Tensor t) => new(t.data<float>().ToArray(), t.shape);
            stored = Arrays("rounded.npz", ("x", Array(x)), ("sigma", Array(sigma)), ("denoised", Array(denoised)));
        }

        var run = await CommandLineRun.Of(
            "verify", "--model", Golden("vp-ddpmpp-uncond.pkl"), "--reference", stored, "--tolerance", "1e-6");
        Assert.True(run.Code == 0, run.Output + run.Messages);
        Assert.Contains("NVlabs/edm's float32", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Convert_makes_a_folder_that_says_everything_itself()
    {
        string folder = At("converted"), halved = At("halved"), model = Golden("guided-diffusion-adm-cond.pt"), reference = Golden(
            "guided-diffusion-adm-cond.golden.npz");
        var json = await CommandLineRun.Json(["convert", model, "--out", folder, .. Golden16]);
        Assert.Equal("float32", json.GetProperty("dtype").GetString());
        Assert.Equal(0, (await CommandLineRun.Of("verify", "--model", folder, "--reference", reference)).Code);
        using (var original = ModelSource.Open(model, new ModelReadOptions { Resolution = 16, ChannelsPerHead = 16 }))
        using (var copy = ModelSource.Open(folder))
        {
            Assert.Equal(original.Denoiser.Weights.data<float>().ToArray(), copy.Denoiser.Weights.data<float>().ToArray());
        }

        Assert.Equal(0, (await CommandLineRun.Of(["convert", model, "--out", halved, "--dtype", "bfloat16", .. Golden16])).Code);
        Assert.True(Length(halved) < 0.6 * Length(folder));
        foreach (string file in new[] { "config.json", "model.safetensors" })
        {
            using var given = Model.Open(Path.Combine(folder, file));
            using var whole = Model.Open(folder);
            Assert.Equal(whole.Hash, given.Hash);
        }

        Assert.Equal(["converted", "halved"], Directory.GetFileSystemEntries(_folder.Root).Select(Path.GetFileName).Order());
        await CommandLineRun.Refused("is there already", ["convert", model, "--out", folder, .. Golden16]);
        await CommandLineRun.Refused("leave that option out", "inspect", folder, "--model-resolution", "16");

        static long Length(string folder) => new FileInfo(Path.Combine(folder, "model.safetensors")).Length;
    }

    [Fact]
    public async Task Sampling_takes_every_kind_of_model()
    {
        var run = await CommandLineRun.Of(["sample", "--model", Golden("guided-diffusion-adm-cond.pt"), "--steps", "2", "--seeds", "1",
            "--dtype", "float32", "--grid", At("grid.png"), .. Golden16]);
        Assert.True(run.Code == 0, run.Messages);
    }

    [Fact]
    public async Task What_cannot_be_used_is_one_line()
    {
        string model = Golden("guided-diffusion-adm-cond.pt"), reference = Golden("guided-diffusion-adm-cond.golden.npz");
        await CommandLineRun.Refused("There is no model", "inspect", At("nothing"));
        await CommandLineRun.Refused("is no model", "inspect", Write("text.pt", "neither"));
        await CommandLineRun.Refused("config.json", "inspect", _folder.Root);
        await CommandLineRun.Refused("--model-attention-order", "inspect", model, "--model-attention-order", "odd");
        await CommandLineRun.Refused(
            "none of discrete, edm, consistency", ["inspect", model, "--model-preconditioning", "odd", .. Golden16]);
        await CommandLineRun.Refused("x has shape",
            ["verify", "--model", model, "--reference", reference, "--model-resolution", "32", "--model-head-channels", "16"]);
        await CommandLineRun.Refused(
            "--tolerance", ["verify", "--model", model, "--reference", reference, "--tolerance", "-1", .. Golden16]);
        await CommandLineRun.Refused("needs the array x",
            ["verify", "--model", model, "--reference", Arrays("empty.npz", ("y", new NpyArray(new float[1], 1))), .. Golden16]);
        await CommandLineRun.Refused(
            "labels of shape", ["verify", "--model", model, "--reference", Arrays("labels.npz", ("x", Floats(1, 3, 16, 16)),
                ("sigma", Floats(1)), ("denoised", Floats(1, 3, 16, 16)), ("labels", new NpyArray(new long[] { 5 }, 1))), .. Golden16]);
        var ones = new NpyArray(new float[] { 1 }, 1);
        await CommandLineRun.Refused("x holds NaN", ["verify", "--model", model, "--reference",
            Arrays("nan.npz", ("x", NotNumbers(1, 3, 16, 16)), ("sigma", ones), ("denoised", Floats(1, 3, 16, 16))), .. Golden16]);
        await CommandLineRun.Refused("denoised holds NaN", ["verify", "--model", model, "--reference",
            Arrays("theirs.npz", ("x", Floats(1, 3, 16, 16)), ("sigma", ones), ("denoised", NotNumbers(1, 3, 16, 16))), .. Golden16]);
        await CommandLineRun.Refused("labels of shape [1,0]",
            ["verify", "--model", Golden("edm-ddpmpp-uncond.pkl"), "--reference", Arrays("no.npz", ("x", Floats(1, 3, 16, 16)),
                ("sigma", ones), ("denoised", Floats(1, 3, 16, 16)), ("labels", new NpyArray(Array.Empty<long>(), 1, 0)))]);
        await CommandLineRun.Refused("is a folder, not a file", ["verify", "--model", model, "--reference", _folder.Root, .. Golden16]);
        await CommandLineRun.Refused("above 0", ["verify", "--model", model, "--reference",
            Arrays("sigma.npz", ("x", Floats(1, 3, 16, 16)), ("sigma", Floats(1)), ("denoised", Floats(1, 3, 16, 16))), .. Golden16]);
    }

    private static NpyArray Floats(params long[] shape) => new(new float[shape.Aggregate(1L, (a, b) => a * b)], shape);

    private static NpyArray NotNumbers(params long[] shape)
    {
        float[] values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        values[^1] = float.NaN;
        return new(values, shape);
    }

    private static string Golden(string file) => Path.Combine(AppContext.BaseDirectory, "golden", "checkpoints", file);

    private string At(string name) => _folder.File(name);

    private string Write(string name, string text)
    {
        File.WriteAllText(At(name), text);
        return At(name);
    }

    private string Arrays(string name, params (string Name, NpyArray Array)[] arrays)
    {
        NpzFile.Write(At(name), arrays.ToDictionary(a => a.Name, a => a.Array));
        return At(name);
    }
}
