using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Models;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tests.Networks;
using static FewStep.Tests.GoldenPipelines;

namespace FewStep.Tests.Models;

/// <summary>Pipelines of diffusers through the front door, against what diffusers computed with them.</summary>
public sealed class NativePipelineTests : TensorFileTests
{
    // Of prompts 0 and 2 of the golden tokenizer.
    private static readonly string[] Texts =
        ["a photo of an astronaut riding a horse on mars", "Crème brûlée à la façon de Gdańsk, naïve café"];

    private static readonly ModelOptions Guided = new()
    { Prompts = Texts, Guidance = new() { Weight = 7.5 }, ComputeType = float32, Device = DeviceChoice.Cpu };

    private const string Weights = "diffusion_pytorch_model.safetensors";

    [Theory]
    [InlineData("euler4")]
    [InlineData("euler4-trailing")]
    [InlineData("ddim5")]
    public void Prompts_become_the_images_of_diffusers(string name)
    {
        using var model = Model.Open(At("sd15-tiny"), Guided);
        Assert.Equal((new ImageShape(3, 32, 32), new ImageShape(4, 16, 16), 2), (model.Shape, model.Summary.Latents, model.Classes));
        Assert.Equal(Texts, model.Summary.Prompts!);
        var golden = Arrays("sd15-tiny", $"sampling-{name}.golden.npz");
        Tensor image = model.ImagesOf(Sampled(model.Denoiser, Noise(model), golden, isScaled: name == "ddim5"));
        Agrees(golden["image"], image, 1e-4);
        Agrees(golden["image_uint8"], Levels(image), 1.5 / 255);
    }

    [Fact]
    public void Images_are_those_of_the_ONNX_pipeline()
    {
        using Model model = Model.Open(At("sd15-tiny"), Guided), onnx = Model.Open(At("sd15-tiny-onnx"), Guided);
        var sampler = new Sampler(Schedule(Noise(model), [999, 666, 333, 0]), new EulerSolver());
        using Samples native = model.Sample(3, sampler), other = onnx.Sample(3, sampler);
        Agrees(other.Latents!, native.Latents!, 1e-4);
        Agrees(other.Images, native.Images, 1e-4);
        Assert.Equal(2 * 4, native.EvaluationsPerImage);
        // A loss curve and tuning encode.
        Tensor images = native.Images.clamp(-1, 1);
        Agrees(onnx.Autoencoder!.EncodeAll(images), model.Autoencoder!.EncodeAll(images), 1e-4);
    }

    [Fact]
    public void Guided_velocity_is_sampled_as_diffusers_does()
    {
        using var source = ModelSource.Open(At("sd2-v-tiny"));
        var golden = Arrays("sd2-v-tiny", "unet.golden.npz");
        source.Denoiser.Conditions = new GivenConditions(
            new() { Context = golden["encoder_hidden_states"] }, new() { Context = golden["encoder_hidden_states_uncond"] });
        var guided = GuidedDenoiser.ClassifierFree(source.Denoiser, new Guidance { Weight = golden["guidance_scale"].Number() });
        var noise = ((DiscreteVpPreconditioning)source.Denoiser.Preconditioning).Noise;
        Sampled(guided, noise, golden, prefix: "euler_");
        Sampled(guided, noise, golden, isScaled: true, prefix: "ddim_");
    }

    [Fact]
    public void What_an_image_depends_on_is_in_the_hash()
    {
        using var model = Model.Open(At("sd15-tiny"), Guided);
        using var other = Model.Open(At("sd15-tiny", "unet"), Guided with { NegativePrompt = "blurred" });
        Assert.NotEqual(model.Hash, other.Hash);
        Assert.Equal(model.NetworkHash, other.NetworkHash);
        string lora = At("sd15-tiny", "lora", "kohya.safetensors");
        using var fused = Open(Lora.Parse(lora));
        using var half = Open(Lora.Parse(lora + ":0.5"));
        Assert.Equal(4, new[] { model, other, fused, half }.Select(m => m.Hash).Distinct().Count());
        Assert.Equal(3, new[] { model, other, fused, half }.Select(m => m.NetworkHash).Distinct().Count());
        Model Open(Lora given) => Model.Open(At("sd15-tiny"), Guided with { Checkpoint = new() { Loras = [(given.Path, given.Scale)] } });
    }

    [Theory]
    [InlineData("pytorch_lora_weights", "attention")]
    [InlineData("peft-names", "attention")]
    [InlineData("processor-names", "attention")]
    [InlineData("kohya", "kohya")]
    [InlineData("kohya-with-convolutions", "convolutions")]
    public void Loras_are_fused_into_network_and_text_encoder(string file, string name)
    {
        var golden = Arrays("sd15-tiny", "lora.golden.npz");
        foreach (var (scale, suffix) in new[] { (1.0, "1"), (0.5, "05") })
        {
            var lora = (At("sd15-tiny", "lora", $"{file}.safetensors"), scale);
            using var model = Model.Open(At("sd15-tiny"), Guided with { Checkpoint = new() { Loras = [lora] } });
            var told = model.Network!.Conditions.Of(tensor([0L]), 1, CPU, float32).Context!;
            model.Network!.Conditions = new GivenConditions(new() { Context = golden["encoder_hidden_states"] });
            Agrees(golden[$"{name}_{suffix}"], model.Network.Raw(golden["sample"], golden["timestep"].to(float32).expand(2), null),
                OfOneCall);
            if (name == "kohya")
                Agrees(golden[$"kohya_text_{suffix}"][0], told[0], OfOneCall);
        }
    }

    [Fact]
    public void Classes_become_the_images_of_DiT()
    {
        using var model = Model.Open(At("dit-tiny"), new()
        { Guidance = new() { Weight = 4 }, ComputeType = float32, Device = DeviceChoice.Cpu });
        var golden = Arrays("dit-tiny", "sampling-euler4.golden.npz");
        Agrees(golden["image"], model.ImagesOf(Sampled(model.Denoiser, Noise(model), golden)), 1e-4);
    }

    [Fact]
    public void A_network_that_is_told_its_guidance_is_evaluated_once()
    {
        string root = Pipeline("sd15-tiny", "text_encoder", "tokenizer", "vae");
        Copy(At("lcm-tiny", "unet"), Path.Combine(root, "unet"));
        Copy(At("lcm-tiny", "scheduler"), Path.Combine(root, "scheduler"));
        using Model usual = Model.Open(root, Guided with { Guidance = null }), model = Model.Open(root, Guided);
        Assert.Equal(("told to the network, 7.5", "told to the network, 6.5"), (usual.Summary.Guidance, model.Summary.Guidance));
        Assert.NotEqual(usual.NetworkHash, model.NetworkHash);
        using var samples = model.Sample(2, new Sampler(Schedule(Noise(model), [999, 499]), new EulerSolver()));
        Assert.Equal(2, samples.EvaluationsPerImage);
        var golden = Arrays("lcm-tiny", "unet.golden.npz");
        var told = model.Prompts!.Of(tensor([0L, 1]), 2, CPU, float32);
        Assert.Equal([6.5f, 6.5f], told.GuidanceScale!.data<float>());
        usual.Network!.Conditions = new GivenConditions(
            new() { Context = golden["encoder_hidden_states"], GuidanceScale = golden["w"] });
        Agrees(golden["output"][1], usual.Network.Raw(golden["sample"], golden["timesteps"][1].to(float32).expand(2), null), OfOneCall);
        Refused.With("leave interval, rescale", () => Model.Open(root, Guided with { NegativePrompt = "blurred" }).Dispose());
    }

    [Fact]
    public void XL_is_told_both_encoders_and_the_size()
    {
        // A network of 56 numbers a token, as the two encoders give them, of a pipeline as large as the golden one.
        string root = Pipeline("sd15-tiny", "text_encoder", "tokenizer", "vae");
        Copy(At("sd15-tiny", "tokenizer"), Path.Combine(root, "tokenizer_2"));
        foreach (string part in new[] { "text_encoder_2", "unet", "scheduler" })
            Copy(At("sdxl-tiny", part), Path.Combine(root, part));
        Refused.With("give embeddings of 56 numbers and pooled ones of 24, its network is told embeddings of 32 numbers",
            () => Model.Open(root, Guided).Dispose());
        string config = Path.Combine(root, "unet", "config.json"), weights = Path.Combine(root, "unet", Weights);
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"cross_attention_dim\": 32", "\"cross_attention_dim\": 56"));
        using (var tensors = SafetensorsFile.Read(weights).Tensors)
        {
            foreach (string name in tensors.Keys.Where(n => n.Contains("attn2.to_k") || n.Contains("attn2.to_v")).ToList())
                tensors[name] = nn.functional.pad(tensors[name], [0, 24]).DetachFromDisposeScope();
            SafetensorsFile.Write(weights, tensors);
        }

        using var model = Model.Open(root, Guided with { Checkpoint = new() { Resolution = 64 } });
        var told = model.Prompts!.Of(tensor([0L, -1]), 2, CPU, float32);
        Assert.Equal([2, 77, 56], told.Context!.shape);
        Assert.Equal([64f, 64, 0, 0, 64, 64], told.Sizes![0].data<float>());
        Assert.Equal((0f, 0f), (told.Context[1].abs().sum().item<float>(), told.Pooled![1].abs().sum().item<float>()));
        using var samples = model.Sample(1, new Sampler(Schedule(Noise(model), [999]), new EulerSolver()));
        Assert.Equal([1, 3, 64, 64], samples.Images.shape);
    }

    [Fact]
    public void What_a_pipeline_lacks_is_said()
    {
        var looked = Guided with { Prompts = null, Guidance = null };
        using (var network = Model.Open(At("sd3-tiny"), looked))
        {
            Assert.Equal((8, null, 0), (network.Shape.Channels, network.Autoencoder, network.Classes));
            Assert.Contains("None lies beside it", network.Remarks[0]);
            Refused.With("sd3-tiny has no text encoder", () => network.Sample(1));
        }

        string root = Pipeline("sd3-tiny", "transformer", "scheduler");
        string other = Path.Combine(root, "text_encoder_3");
        Directory.CreateDirectory(other);
        File.WriteAllText(Path.Combine(other, "config.json"), """{"architectures": ["GemmaModel"]}""");
        using (var network = Model.Open(root, looked))
            Refused.With("(GemmaModel), which is not read", () => network.Sample(1));
        Refused.With("which is not read", () => Model.Open(root, looked with { Prompts = Texts }).Dispose());

        root = Pipeline("sd15-tiny", "unet", "vae", "scheduler", "text_encoder");
        Refused.With("is no tokenizer of CLIP: vocab.json is missing", () => Model.Open(root, Guided).Dispose());
        Refused.With("makes images of prompts", () => Model.Open(At("sd15-tiny"), looked).Dispose());
        Refused.With("33 pixels is no multiple of 2",
            () => Model.Open(At("sd15-tiny"), Guided with { Checkpoint = new() { Resolution = 33 } }).Dispose());
        Refused.With("LoRAs are for diffusers folders", () => ModelSource.Open(At("dit-tiny", "dit-original-names.pt"),
            new() { Heads = 3, Loras = [(At("sd15-tiny", "lora", "kohya.safetensors"), 1)] }).Dispose());
        Refused.With("not in -10 to 10", () => new Lora("file", double.NaN).Read());

        string config = Path.Combine(root, "vae", "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("AutoencoderKL", "AutoencoderTiny"));
        Refused.With("AutoencoderTiny); read is AutoencoderKL", () => Model.Open(root, Guided).Dispose());
    }

    [Fact]
    public void A_network_that_lies_elsewhere_is_decoded_by_its_pipeline()
    {
        using (var source = ModelSource.Open(At("sd15-tiny")))
            ModelFolder.Write(_folder.File("tuned"), source.Config, source.Denoiser, source.Denoiser.Weights);
        var inPipeline = new ModelReadOptions { Pipeline = At("sd15-tiny") };
        using var tuned = Model.Open(_folder.File("tuned"), Guided with { Checkpoint = inPipeline });
        using var model = Model.Open(At("sd15-tiny"), Guided);
        var sampler = new Sampler(Schedule(Noise(model), [999, 333]), new EulerSolver());
        using Samples one = tuned.Sample(1, sampler), two = model.Sample(1, sampler);
        Assert.Equal(two.Images.data<float>().ToArray(), one.Images.data<float>().ToArray());
        using var original = Model.Open(At("dit-tiny", "dit-original-names.pt"),
            new() { Checkpoint = new() { Heads = 3, Pipeline = At("dit-tiny") } });
        Assert.Equal(new ImageShape(3, 32, 32), original.Shape);
        Refused.With("no network of a diffusers pipeline",
            () => ModelSource.Open(At("edm2-tiny", "edm2-tiny-cond.pkl"), inPipeline).Dispose());
        Refused.With("holds no autoencoder",
            () => ModelSource.Open(_folder.File("tuned"), new() { Pipeline = At("sd2-v-tiny") }).Dispose());
    }

    [Fact]
    public void A_table_of_positions_is_held_against_the_file_before_room_is_made_for_it()
    {
        string folder = _folder.File("sd3"), config = Path.Combine(folder, ModelFolder.ConfigName);
        using (var source = ModelSource.Open(At("sd3-tiny")))
            ModelFolder.Write(folder, source.Config, source.Denoiser, source.Denoiser.Weights);
        string given = File.ReadAllText(config);
        File.WriteAllText(config, given.Replace("\"position_table_side\": 12", "\"position_table_side\": 1024"));
        Assert.NotEqual(given, File.ReadAllText(config));
        Refused.With("its architecture needs [1,1048576,32]", () => ModelSource.Open(folder).Dispose());
    }

    private static DiscreteVpNoise Noise(Model model) => ((DiscreteVpPreconditioning)model.Network!.Preconditioning).Noise;

    private static SamplingSchedule Schedule(DiscreteVpNoise noise, IEnumerable<int> times)
    {
        double[] sigmas = [.. times.Select(t => noise.Sigmas[t])];
        return sigmas.Length > 1 ? new(sigmas, ScheduleTerminal.Zero) : new([sigmas[0], noise.Sigmas[0]], ScheduleTerminal.Zero);
    }

    // DDIM's x_t is x / sqrt(1 + sigma^2), begins with unit noise and ends at the first time's level.
    private static Tensor Sampled(
        IDenoiser denoiser, DiscreteVpNoise noise, Dictionary<string, Tensor> golden, bool isScaled = false, string prefix = "")
    {
        double Scale(double sigma) => isScaled ? Math.Sqrt(1 + (sigma * sigma)) : 1;
        var sigmas = golden[$"{prefix}timesteps"].to(int32).data<int>().Select(t => noise.Sigmas[t]).ToList();
        var schedule = isScaled ? new SamplingSchedule([.. sigmas, noise.Sigmas[0]]) : new(sigmas, ScheduleTerminal.Zero);
        Tensor trajectory = golden[$"{prefix}trajectory"];
        Tensor latents = golden["latents"] * (isScaled ? Scale(sigmas[0]) / sigmas[0] : 1);
        var labels = golden.GetValueOrDefault("class_labels") ?? tensor(new long[] { 0, 1 });
        var result = new SamplingLoop(denoiser, new EulerSolver(), schedule).Sample(latents, labels,
            point => Agrees(trajectory[point.Index], point.State / Scale(point.Sigma), OfTrajectory));
        Tensor end = result.Samples / (isScaled ? Scale(noise.Sigmas[0]) : 1);
        Agrees(trajectory[^1], end, OfTrajectory);
        return end;
    }

    private string Pipeline(string name, params string[] parts)
    {
        string root = _folder.File($"{name}-{string.Join('-', parts)}");
        foreach (string part in parts)
            Copy(At(name, part), Path.Combine(root, part));
        return root;
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
    }

    // As diffusers makes 8 bits of images, in height, width, channel.
    private static Tensor Levels(Tensor images) => (images * 0.5 + 0.5).clamp(0, 1).mul(255).round().permute(0, 2, 3, 1);
}
