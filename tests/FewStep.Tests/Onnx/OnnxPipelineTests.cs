using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Models;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Onnx;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tests.Checkpoints;
using TorchSharp;

namespace FewStep.Tests.Onnx;

public sealed class OnnxPipelineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void The_golden_networks_of_stable_diffusion_give_the_references_values()
    {
        var golden = Golden("sd15-tiny-onnx", "onnx.golden.npz");
        double sigma = ScaledLinear.Sigmas[333];
        foreach (string text in new[] { "", "_154" })
        {
            using var unet = Unet(new Given(golden[$"encoder_hidden_states{text}"].ToTensor()), new ImageShape(4, 24, 8));
            var x = golden["sample"].ToTensor() * Math.Sqrt(1 + (sigma * sigma));
            var labels = tensor(new long[] { 0, 1, 2 });
            Near(x - (sigma * golden[$"out_sample{text}"].ToTensor()), unet.Denoiser.Denoise(x, Level(sigma), labels), 1e-4);
        }

        using var decoder = Part("vae_decoder");
        using var encoder = Part("vae_encoder");
        var autoencoder = new OnnxAutoencoder(decoder, encoder);
        Assert.Equal((new ImageShape(3, 48, 16), new ImageShape(4, 24, 8)),
            (autoencoder.ImagesOf(new(4, 24, 8)), autoencoder.LatentsOf(new(3, 48, 16))));
        Near(golden["decoded"].ToTensor(), autoencoder.DecodeAll(golden["latent_sample"].ToTensor() * 0.18215), 1e-4);
        Near(golden["encoded"].ToTensor() * 0.18215, autoencoder.EncodeAll(golden["encode_image"].ToTensor()), 1e-4);
        using var text_ = Part("text_encoder");
        var states = new OnnxPromptEncoder(text_, _ => [], "").Encode(golden["input_ids"].ToTensor());
        Near(golden["last_hidden_state"].ToTensor(), states.Context!, 1e-4);
    }

    [Fact]
    public void Guided_sampling_with_given_embeddings_is_that_of_diffusers()
    {
        var golden = Golden("sd15-tiny", "sampling-euler4.golden.npz");
        var told = new Given(cat([golden["encoder_hidden_states"].ToTensor(), golden["encoder_hidden_states_uncond"].ToTensor()[..1]]));
        using var unet = Unet(told, new ImageShape(4, 16, 16));
        var guided = new CountingDenoiser(GuidedDenoiser.ClassifierFree(unet.Denoiser, new Guidance { Weight = 7.5 }));
        double[] sigmas = golden["sigmas"].ToDoubles();
        int[] times = [999, 666, 333, 0];
        Assert.All(times.Zip(sigmas), t => Assert.Equal(ScaledLinear.Sigmas[t.First], t.Second, t.Second * 2e-5)); // theirs are float32
        var schedule = new SamplingSchedule([.. times.Select(t => ScaledLinear.Sigmas[t])], ScheduleTerminal.Zero);
        var loop = new SamplingLoop(guided, new EulerSolver(), schedule);
        var end = loop.Sample(golden["latents"].ToTensor(), tensor(new long[] { 0, 1 })).Samples;
        Assert.Equal(2 * 2 * 4, guided.Images);
        Near(golden["trajectory"].ToTensor()[4], end, 1e-4);
        using var decoder = Part("vae_decoder");
        Near(golden["image"].ToTensor(), new OnnxAutoencoder(decoder, null).DecodeAll(end), 1e-4);
    }

    [Fact]
    public void A_pipeline_of_classes_knows_no_class_by_its_last_label()
    {
        var options = new ModelOptions
        { Onnx = new() { Noise = "vp-linear", Prediction = OnnxPrediction.Epsilon }, Guidance = new() { Weight = 4 } };
        using var model = Model.Open(PathOf("dit-tiny-onnx"), options);
        Assert.Equal((new ImageShape(4, 16, 16), 10, "ONNX pipeline"), (model.Shape, model.Classes, model.Format));
        Assert.Contains("no vae_decoder", Assert.Single(model.Remarks));
        var golden = Golden("dit-tiny-onnx", "onnx.golden.npz");
        var noise = DiscreteVpNoise.Linear();
        double[] times = golden["timestep"].ToDoubles();
        var sigma = tensor(times.Select(t => (float)noise.Sigmas[(int)t]).ToArray());
        var column = sigma.view(-1, 1, 1, 1);
        var x = golden["hidden_states"].ToTensor() * (1 + column.square()).sqrt();
        var network = ((GuidedDenoiser)model.Denoiser).Model.Inner;
        var labels = tensor(new long[] { 0, 3, -1 });
        Near(x - (column * golden["out_sample"].ToTensor()[.., ..4]), network.Denoise(x, sigma, labels), 1e-4);
        var unnamed = Assert.Throws<InvalidInputException>(() => Model.Open(PathOf("dit-tiny-onnx")));
        Assert.Contains("does not say what it gives", unnamed.Message);
    }

    [Fact]
    public void Providers_that_are_not_there_are_named()
    {
        var options = new ModelOptions { Provider = OnnxProvider.DirectML };
        string file = GaussianOnnx.Denoised().Write(_folder.File("m.onnx"));
        var refused = Assert.Throws<InvalidInputException>(() => Model.Open(file, options));
        Assert.Contains("DmlExecutionProvider: this ONNX Runtime has", refused.Message);
        using var model = Model.Open(file, options with { Provider = OnnxProvider.Cpu });
        Assert.Equal("onnx", model.NumberFormat);
        var text = Assert.Throws<InvalidInputException>(
            () => Model.Open(Path.Combine(PathOf("sd15-tiny-onnx"), "unet", "model.onnx"), new()
            { Onnx = new() { Noise = "vp-scaled-linear", Prediction = OnnxPrediction.Epsilon } }));
        Assert.Contains("open the folder of its pipeline", text.Message);
        var prompts = Assert.Throws<InvalidInputException>(() => Model.Open(file, new() { Prompts = ["a"] }));
        Assert.Contains("takes no prompts", prompts.Message);
        var negative = Assert.Throws<InvalidInputException>(() => Model.Open(file, new() { NegativePrompt = "a" }));
        Assert.Contains("without classifier-free guidance", negative.Message);
    }

    private static DiscreteVpNoise ScaledLinear { get; } = DiscreteVpNoise.Create(DiscreteVpNoise.ScaledLinearName, 0.00085, 0.012, 1000);
    private static string PathOf(string pipeline) => Path.Combine(AppContext.BaseDirectory, "golden", "pipelines", pipeline);
    private static IReadOnlyDictionary<string, NpyArray> Golden(string pipeline, string file)
        => NpzFile.Read(Path.Combine(PathOf(pipeline), file));
    private static OnnxPart Part(string name) => OnnxPart.Open(PathOf("sd15-tiny-onnx"), name, 1, null)!;

    private static OnnxModel Unet(IConditions conditions, ImageShape shape) => OnnxModel.Open(
        Path.Combine(PathOf("sd15-tiny-onnx"), "unet", "model.onnx"), new() { Shape = shape }, 1, around: new()
        {
            Noise = DiffusersNoise.Read(Path.Combine(PathOf("sd15-tiny-onnx"), "scheduler", "scheduler_config.json")).Preconditioning,
            Conditions = _ => conditions,
        });

    private static Tensor Level(double sigma) => tensor([(float)sigma]);

    private static void Near(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.InRange((expected - actual).abs().max().item<float>() / expected.abs().max().item<float>(), 0, tolerance);
    }

    /// <summary>Embeddings that are given, of which the last is that of no prompt.</summary>
    private sealed class Given(Tensor rows) : IConditions
    {
        public int Count => (int)rows.shape[0];

        public NetworkCondition Of(Tensor? labels, long batch, Device device, ScalarType type)
            => new() { Context = rows.index_select(0, labels is null ? full(batch, Count - 1, dtype: int64) : labels) };
    }
}
