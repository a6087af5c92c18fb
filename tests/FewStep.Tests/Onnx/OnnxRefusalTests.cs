using FewStep.Models;
using FewStep.Noise;
using FewStep.Onnx;
using FewStep.Tests.Cli;

namespace FewStep.Tests.Onnx;

public sealed class OnnxRefusalTests : FolderTests
{
    private static readonly OnnxModelDescription Epsilon = new() { Prediction = OnnxPrediction.Epsilon, Noise = "vp-linear" };

    [Fact]
    public void What_is_missing_or_contradicts_itself_is_named()
    {
        var noise = DiscreteVpNoise.Linear();
        string timed = GaussianOnnx.Discrete(noise, GaussianOnnx.Epsilon).Write(_folder.File("timed.onnx")), told = GaussianOnnx.Denoised()
            .Write(_folder.File("told.onnx"));
        Refused("say its prediction", timed, null);
        Refused("give its noise", timed, new OnnxModelDescription { Prediction = OnnxPrediction.Epsilon });
        Refused("rectified-flow", timed, Epsilon with { Noise = "rectified-flow" });
        Refused("takes whole numbers", timed, new OnnxModelDescription { Prediction = OnnxPrediction.Denoised });
        Refused("beta_start <= beta_end", timed, Epsilon with { BetaStart = 0.5, BetaEnd = 0.1 });
        Refused("needs no noise", told, new OnnxModelDescription { Noise = "vp-linear" });
        Refused("no input for labels", told, new OnnxModelDescription { Classes = 4 });
        Refused("not of the shape 3x8x8", told, new OnnxModelDescription { Shape = new(3, 8, 8) });
        Refused("it has 'x', 'sigma'", told, new OnnxModelDescription { ImageInput = "picture" });
        Refused("0 < sigma_min < sigma_max", told, new OnnxModelDescription { SigmaMin = 3, SigmaMax = 1 });
        Refused("There is no model", _folder.File("nothing.onnx"), null);
        Refused("'text'", GaussianOnnx.Denoised().Input("text", OnnxFile.Float, [null]).Write(_folder.File("text.onnx")), null);
        Refused("give its shape", new OnnxFile().Input("x", OnnxFile.Float, null, 3, null, null).Input("sigma", OnnxFile.Float, [null])
            .Output("y", null, 3, null, null).Node("Identity", "y", "x").Write(_folder.File("open.onnx")), null);
        Refused("noise_input", new OnnxFile().Input("x", OnnxFile.Float, null, 3, 4, 4).Input("gamma", OnnxFile.Float, [null])
            .Output("y", null, 3, 4, 4).Node("Identity", "y", "x").Write(_folder.File("names.onnx")), null);
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../secret")]
    [InlineData("C:\\secret")]
    [InlineData("")]
    public void Weights_outside_of_the_folder_are_refused(string location)
    {
        string inner = Directory.CreateDirectory(_folder.File("inner")).FullName;
        File.WriteAllBytes(_folder.File("secret"), new byte[4]);
        Refused("it is refused", External(location).Write(Path.Combine(inner, "m.onnx")), null);
    }

    [Fact]
    public void Weights_beside_the_model_are_read_and_count_in_the_hash()
    {
        string path = External("weights.bin").Write(_folder.File("m.onnx"));
        Refused("which is not there", path, null);
        File.WriteAllBytes(_folder.File("weights.bin"), BitConverter.GetBytes(2f));
        using var two = OnnxModel.Open(path, threads: 1);
        Assert.Equal(6f, two.Denoiser.Denoise(full([1, 1, 2, 2], 3f), ones(1), null)[0, 0, 0, 0].item<float>());
        File.WriteAllBytes(_folder.File("weights.bin"), BitConverter.GetBytes(3f));
        using var three = OnnxModel.Open(path, threads: 1);
        Assert.NotEqual(two.Hash, three.Hash);
    }

    [Fact]
    public void Damaged_and_boastful_files_end_in_one_line()
    {
        Refused("claims a tensor", GaussianOnnx.Denoised().Claims("big", 1L << 40, 1L << 40).Write(_folder.File("big.onnx")), null);
        Refused("negative size", GaussianOnnx.Denoised().Claims("less", -1).Write(_folder.File("less.onnx")), null);
        byte[] whole = GaussianOnnx.Denoised().ToArray();
        string path = _folder.File("cut.onnx");
        foreach (int length in Enumerable.Range(0, whole.Length).Where(n => n % 7 == 0))
        {
            File.WriteAllBytes(path, whole[..length]);
            Refused(".onnx", path, null);
        }

        File.WriteAllText(path, "This is no model, but a text about one.");
        Refused("no sound protobuf file", path, null);
        Refused("cannot be loaded", GaussianOnnx.Denoised().Node("Whatever", "z", "x").Write(path), null);
    }

    [Fact]
    public void Batches_and_classes_beyond_reason_are_refused_before_room_is_made()
    {
        Refused("1000000 images", new OnnxFile().Input("x", OnnxFile.Float, 1_000_000, 3, 16, 16).Input("sigma", OnnxFile.Float, 1_000_000)
            .Output("denoised", 1_000_000, 3, 16, 16).Node("Identity", "denoised", "x").Write(_folder.File("batch.onnx")), null);
        Refused("1 image of", new OnnxFile().Input("x", OnnxFile.Float, null, 3, 8192, 8192).Input("sigma", OnnxFile.Float, [null])
            .Output("denoised", null, 3, 8192, 8192).Node("Identity", "denoised", "x").Write(_folder.File("large.onnx")), null);
        Refused("1 to 65536",
            GaussianOnnx.Denoised().Input("y", OnnxFile.Float, null, 1_000_000).Write(_folder.File("classes.onnx")), null);
    }

    [Fact]
    public async Task A_graph_without_end_is_ended_by_one_interruption()
    {
        string path = new OnnxFile().Input("x", OnnxFile.Float, null, 1, 2, 2).Input("sigma", OnnxFile.Float, [null])
            .Output("denoised", null, 1, 2, 2).Endless("denoised", "x").Write(_folder.File("endless.onnx"));
        using var interruption = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        var run = await Task.Run(() => CommandLineRun.Until(
                interruption.Token, "sample", "--model", path, "--steps", "1", "--seeds", "0", "--grid", _folder.File("grid.png")))
            .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal(130, run.Code);
        Assert.Contains("interrupted", run.Messages, StringComparison.Ordinal);
    }

    private static OnnxFile External(string location) => new OnnxFile()
        .Input("x", OnnxFile.Float, null, 1, 2, 2)
        .Input("sigma", OnnxFile.Float, [null])
        .Output("denoised", null, 1, 2, 2)
        .External("w", [1], location)
        .Node("Mul", "denoised", "x", "w");

    private static void Refused(string fragment, string path, OnnxModelDescription? description)
    {
        var refusal = Assert.Throws<InvalidInputException>(() => OnnxModel.Open(path, description, 1).Dispose());
        Assert.Contains(fragment, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }
}
