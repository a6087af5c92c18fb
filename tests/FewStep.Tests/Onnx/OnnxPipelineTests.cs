using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Denoising;
using FewStep.Models;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Onnx;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tests.Cli;
using FewStep.Tests.Networks;
using FewStep.Text;

namespace FewStep.Tests.Onnx;

public sealed class OnnxPipelineTests : TensorFileTests
{
    private const int Tokens = 77;

    [Fact]
    public void The_golden_networks_of_stable_diffusion_give_the_references_values()
    {
        var golden = Golden("sd15-tiny-onnx", "onnx.golden.npz");
        double sigma = ScaledLinear.Sigmas[333];
        foreach (string text in new[] { "", "_154" })
        {
            var told = new GivenConditions(new() { Context = golden[$"encoder_hidden_states{text}"].ToTensor() });
            using var unet = Unet(told, new ImageShape(4, 24, 8));
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
        using var text_ = new OnnxTextEncoder(Part("text_encoder"));
        var states = text_.Encode(golden["input_ids"].ToTensor(), TextLayer.Last);
        Near(golden["last_hidden_state"].ToTensor(), states.Hidden, 1e-4);
        Near(golden["pooler_output"].ToTensor(), states.Pooled!, 1e-4);
        Assert.Equal((32, 32, false, false), (text_.Width, text_.PooledWidth, text_.IsT5, text_.Projects));
    }

    [Fact]
    public void Guided_sampling_with_given_embeddings_is_that_of_diffusers()
    {
        var golden = Golden("sd15-tiny", "sampling-euler4.golden.npz");
        var told = new GivenConditions(new() { Context = golden["encoder_hidden_states"].ToTensor() },
            new() { Context = golden["encoder_hidden_states_uncond"].ToTensor() });
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
    public void Prompts_become_the_images_of_diffusers()
    {
        var golden = Golden("sd15-tiny", "sampling-euler4.golden.npz");
        var options = new ModelOptions { Prompts = Texts, Guidance = new() { Weight = 7.5 } };
        using var model = Model.Open(PathOf("sd15-tiny-onnx"), options);
        Assert.Equal((new ImageShape(3, 32, 32), new ImageShape(4, 16, 16), 2),
            (model.Shape, model.Summary.Latents, model.Classes));
        Assert.Equal(Texts, model.Summary.Prompts!);
        var schedule = new SamplingSchedule([.. new[] { 999, 666, 333, 0 }.Select(t => ScaledLinear.Sigmas[t])], ScheduleTerminal.Zero);
        var batch = model.Batches(new Sampler(schedule, new EulerSolver()), null).Sample(golden["latents"].ToTensor(), null).Single();
        Assert.Equal([0, 1], batch.Labels!.data<long>());
        Assert.Equal(2 * 2 * 4, batch.Evaluations);
        Near(golden["image"].ToTensor(), model.ImagesOf(batch.Images), 1e-4);
        using var other = Model.Open(PathOf("sd15-tiny-onnx"), options with { NegativePrompt = "blurred" });
        Assert.NotEqual(model.Hash, other.Hash);
        Assert.Equal(model.NetworkHash, other.NetworkHash); // a sampler fitted to one is good for the other
        var unsaid = Assert.Throws<InvalidInputException>(() => Model.Open(PathOf("sd15-tiny-onnx")));
        Assert.Contains("makes images of prompts; give a prompt", unsaid.Message);
    }

    [Fact]
    public void A_network_of_XL_is_told_both_encoders_the_pooled_text_and_the_size()
    {
        string root = _folder.File("xl");
        void Write(string part, OnnxFile file, string config = "{}")
        {
            Directory.CreateDirectory(Path.Combine(root, part));
            file.Write(Path.Combine(root, part, "model.onnx"));
            File.WriteAllText(Path.Combine(root, part, "config.json"), config);
        }

        OnnxFile Encoder() => new OnnxFile().Input("input_ids", OnnxFile.Int64, null, Tokens).Integers("last", [1], 2)
            .Integers("tokens", [1], 1).CastToFloat("ids", "input_ids").Node("Unsqueeze", "hidden_states.1", "ids", "last")
            .Node("Neg", "hidden_states.2", "hidden_states.1").Node("Neg", "hidden_states.0", "hidden_states.1")
            .Output("hidden_states.0", null, Tokens, 1).Output("hidden_states.1", null, Tokens, 1)
            .Output("hidden_states.2", null, Tokens, 1);
        Write("text_encoder", Encoder());
        Write("text_encoder_2", Encoder().Node("ReduceSum", "text_embeds", "ids", "tokens").Output("text_embeds", null, 1));
        // The noise is the sum of all that it is told; the decoder takes float16.
        Write("unet", new OnnxFile().Input("sample", OnnxFile.Float, null, 3, null, null).Input("timestep", OnnxFile.Float, [null])
            .Input("encoder_hidden_states", OnnxFile.Float, null, Tokens, 2).Input("text_embeds", OnnxFile.Float, null, 1)
            .Input("time_ids", OnnxFile.Float, null, 6).Integers("rows", [1], 1).Integers("both", [2], 1, 2).Integers("two", [2], 2, 3)
            .Floats("zero", [1], 0).Node("ReduceSum", "context", "encoder_hidden_states", "both").Node("Unsqueeze", "c", "context", "three")
            .Integers("three", [1], 3).Node("ReduceSum", "sizes", "time_ids", "rows").Node("Add", "pooled", "text_embeds", "sizes")
            .Node("Unsqueeze", "p", "pooled", "two").Node("Add", "all", "c", "p").Node("Mul", "nothing", "sample", "zero")
            .Node("Add", "out_sample", "nothing", "all").Output("out_sample", null, 3, null, null),
            """{ "in_channels": 3, "sample_size": 4 }""");
        Write("vae_decoder", new OnnxFile().Input("latent_sample", 10, null, 3, null, null).CastToFloat("sample", "latent_sample")
            .Output("sample", null, 3, null, null), """{ "block_out_channels": [8], "latent_channels": 3, "scaling_factor": 0.5 }""");
        var onnx = new OnnxModelDescription { Noise = "vp-scaled-linear", Prediction = OnnxPrediction.Epsilon };
        foreach (string tokenizer in new[] { "tokenizer", "tokenizer_2" })
        {
            Directory.CreateDirectory(Path.Combine(root, tokenizer));
            foreach (string file in Directory.GetFiles(Path.Combine(PathOf("sd15-tiny-onnx"), "tokenizer")))
                File.Copy(file, Path.Combine(root, tokenizer, Path.GetFileName(file)));
        }

        var tokens = ClipTokenizer.Open(Path.Combine(root, "tokenizer"));
        long Sum(string text) => tokens.Padded(tokens.Encode(text), Tokens).Sum();
        using var model = Model.Open(root, new() { Prompts = ["a", "bb"], Onnx = onnx });
        var denoised = model.Denoiser.Denoise(zeros(3, 3, 4, 4), ones(1), tensor(new long[] { 0, 1, -1 }))[.., 0, 0, 0];
        // Twice the ids as context, once more pooled, and 4 x 4 from the sizes; nothing but the sizes for the empty prompt.
        double[] expected = [-(3 * Sum("a")) - 16, -(3 * Sum("bb")) - 16, -16];
        Assert.All(expected.Zip(denoised.data<float>()), v => Assert.Equal(v.First, v.Second, 1e-4));
        Assert.Equal(new ImageShape(3, 4, 4), model.Shape);
        Assert.True(model.ImagesOf(ones(1, 3, 4, 4)).allclose(full(new long[] { 1, 3, 4, 4 }, 2f), 1e-3));
    }

    [Fact]
    public async Task The_command_line_samples_a_latent_pipeline_of_classes()
    {
        string root = _folder.File("dit");
        foreach (var (from, part) in new[] { ("dit-tiny-onnx", "transformer"), ("sd15-tiny-onnx", "vae_decoder") })
        {
            Directory.CreateDirectory(Path.Combine(root, part));
            foreach (string file in Directory.GetFiles(Path.Combine(PathOf(from), part)))
                File.Copy(file, Path.Combine(root, part, Path.GetFileName(file)));
        }

        Directory.CreateDirectory(Path.Combine(root, "scheduler"));
        await File.WriteAllTextAsync(Path.Combine(root, "scheduler", "scheduler_config.json"),
            """{ "_class_name": "DDIMScheduler", "beta_schedule": "linear" }""", TestContext.Current.CancellationToken);
        var (images, raw) = (_folder.File("images"), _folder.File("raw.npz"));
        string[] sample = ["sample", "--model", root, "--seeds", "3,8", "--sampler", "karras/euler/2"];
        var told = await CommandLineRun.Json(
            [.. sample, "--out", images, "--output", raw, "--guidance", "4", "--guidance-rescale", "0.5", "--provider", "cpu"]);
        Assert.Equal(4, told.GetProperty("evaluations_per_image").GetDouble());
        Assert.Equal("seed mod 10", told.GetProperty("labels").GetString());
        Assert.Equal("classifier-free, weight 4, rescale 0.5", told.GetProperty("model").GetProperty("guidance").GetString());
        Assert.Equal(16, told.GetProperty("model").GetProperty("latents").GetProperty("height").GetInt32());
        var arrays = NpzFile.Read(raw);
        Assert.Equal([2, 4, 16, 16], arrays["samples"].Shape);
        Assert.Equal([2, 3, 32, 32], arrays["images"].Shape);
        string png = Path.Combine(images, "000008.png");
        byte[] picture = await File.ReadAllBytesAsync(png, TestContext.Current.CancellationToken);
        Assert.Equal(new ImageShape(3, 32, 32), ImageHeader.Read(picture, png));
        await CommandLineRun.Refused("takes no prompts; leave them out", [.. sample, "--out", images, "--prompt", "a cat"]);
        await CommandLineRun.Refused("both say what images are of", [.. sample, "--out", images, "--prompt", "a", "--prompts", "b"]);
        await CommandLineRun.Refused("this ONNX Runtime has", [.. sample, "--out", images, "--provider", "coreml"]);
    }

    [Fact]
    public async Task The_command_line_samples_prompts_of_a_file()
    {
        string prompts = _folder.File("prompts.txt"), images = _folder.File("images");
        await File.WriteAllLinesAsync(prompts, [Texts[0], "", Texts[1]], TestContext.Current.CancellationToken);
        string[] sample = ["sample", "--model", PathOf("sd15-tiny-onnx"), "--sampler", "karras/euler/1", "--seeds", "5", "--out", images];
        var told = await CommandLineRun.Json([.. sample, "--prompts", prompts, "--guidance", "7.5", "--negative-prompt", "blurred"]);
        Assert.Equal("seed mod 2", told.GetProperty("labels").GetString());
        var model = told.GetProperty("model");
        Assert.Equal(Texts, model.GetProperty("prompts").EnumerateArray().Select(p => p.GetString()!));
        Assert.Equal("blurred", model.GetProperty("negative_prompt").GetString());
        Assert.True(File.Exists(Path.Combine(images, "000005.png")));
        await CommandLineRun.Refused("makes images of prompts; give a prompt", sample);
        await CommandLineRun.Refused(
            "does nothing without classifier-free guidance", [.. sample, "--prompt", "a", "--negative-prompt", "b"]);
        var inspected = await CommandLineRun.Json("inspect", PathOf("sd15-tiny-onnx"));
        Assert.Equal("ONNX pipeline", inspected.GetProperty("format").GetString());
        Assert.Equal(4, inspected.GetProperty("latents").GetProperty("channels").GetInt32());
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

    // Of prompts 0 and 2 of the golden tokenizer.
    private static string[] Texts { get; } =
        ["a photo of an astronaut riding a horse on mars", "Crème brûlée à la façon de Gdańsk, naïve café"];

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
}
