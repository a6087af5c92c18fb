using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Models;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Onnx;
using FewStep.Onnx.Writing;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tests.Cli;
using FewStep.Tests.Networks;
using FewStep.Tests.Sampling;
using FewStep.Tests.Text;
using FewStep.Text;
using System.Text.Json;
using static FewStep.Tests.GoldenPipelines;

namespace FewStep.Tests.Onnx;

/// <summary>Pipelines that are written as ONNX, against what the reference implementations computed with the same weights, and against the
/// checkpoints that they were made from.</summary>
public sealed class OnnxPipelineExportTests : TensorFileTests
{
    private const double Tolerance = 1e-4;

    // Of prompts 0 and 2 of the golden tokenizer.
    private static string[] Texts { get; } =
        ["a photo of an astronaut riding a horse on mars", "Crème brûlée à la façon de Gdańsk, naïve café"];

    private static ModelOptions Unprompted { get; } = new() { ComputeType = float32, Device = DeviceChoice.Cpu, NeedsNoPrompts = true };
    private static ModelOptions Guided { get; } = new()
    { ComputeType = float32, Device = DeviceChoice.Cpu, Prompts = Texts, Guidance = new() { Weight = 7.5 } };

    [Fact]
    public void Stable_Diffusion_has_the_layout_and_the_values_of_other_programs()
    {
        string folder = Exported(At("sd15-tiny"));
        string[] files = [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
        Assert.Equal(
            [
                "model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json", "text_encoder/model.onnx",
                "tokenizer/LICENSE", "tokenizer/merges.txt", "tokenizer/special_tokens_map.json", "tokenizer/tokenizer_config.json",
                "tokenizer/vocab.json",
                "unet/config.json", "unet/model.onnx", "vae_decoder/config.json", "vae_decoder/model.onnx", "vae_encoder/config.json",
                "vae_encoder/model.onnx",
            ],
            files);
        Dictionary<string, JsonElement> Index(string of) => JsonFile.ReadPython(Path.Combine(of, "model_index.json"));
        var (index, reference) = (Index(folder), Index(At("sd15-tiny-onnx")));
        Assert.Equal("StableDiffusionPipeline", index["_class_name"].GetString()); // by which optimum finds its own
        foreach (string key in reference.Keys.Where(key => key is not ("_diffusers_version" or "_class_name")))
            Assert.Equal(JsonSerializer.Serialize(reference[key]), JsonSerializer.Serialize(index[key]));

        var golden = Arrays("sd15-tiny-onnx", "onnx.golden.npz");
        foreach (string text in new[] { "", "_154" })
        {
            Agrees(golden[$"out_sample{text}"], Run(folder, "unet", "out_sample", ("sample", golden["sample"]),
                ("timestep", golden["timestep"]), ("encoder_hidden_states", golden[$"encoder_hidden_states{text}"])), Tolerance);
        }

        Agrees(golden["decoded"], Run(folder, "vae_decoder", "sample", ("latent_sample", golden["latent_sample"])), Tolerance);
        Agrees(golden["encoded"], Run(folder, "vae_encoder", "latent_sample", ("sample", golden["encode_image"])), Tolerance);
        foreach (string output in new[] { "last_hidden_state", "pooler_output" })
            Agrees(golden[output], Run(folder, "text_encoder", output, ("input_ids", golden["input_ids"])), Tolerance);
    }

    [Fact]
    public void A_folder_makes_the_latents_and_images_of_its_checkpoint()
    {
        string folder = Exported(At("sd15-tiny"));
        using var own = Model.Open(At("sd15-tiny"), Guided);
        using var made = Model.Open(folder, new() { Prompts = Texts, Guidance = Guided.Guidance });
        Assert.Equal((own.Shape, own.Summary.Latents, own.Classes), (made.Shape, made.Summary.Latents, made.Classes));
        Assert.Equal(own.Denoiser.SigmaMax, made.Denoiser.SigmaMax, 1e-9);
        var sampler = own.CreateSampler("karras", "ipndm:2", 4);
        SampledBatch Sampled(Model model) => model.Batches(sampler, null).Sample([5, 6]).Single();
        Tensor expected = Sampled(own).Images, latents = Sampled(made).Images;
        Agrees(expected, latents, Tolerance);
        Agrees(own.ImagesOf(expected), made.ImagesOf(latents), Tolerance);

        var golden = Arrays("sd15-tiny", "sampling-euler4.golden.npz");
        var noise = ((DiscreteVpPreconditioning)own.Network!.Preconditioning).Noise;
        var schedule = new SamplingSchedule([.. new[] { 999, 666, 333, 0 }.Select(t => noise.Sigmas[t])], ScheduleTerminal.Zero);
        var batch = made.Batches(new Sampler(schedule, new EulerSolver()), null).Sample(golden["latents"], null).Single();
        Agrees(golden["image"], made.ImagesOf(batch.Images), Tolerance);
    }

    [Fact]
    public void LoRAs_are_fused_into_network_and_text_encoder()
    {
        var golden = Arrays("sd15-tiny", "lora.golden.npz");
        string folder = Exported(
            At("sd15-tiny"), Unprompted with { Checkpoint = new() { Loras = [(At("sd15-tiny", "lora", "kohya.safetensors"), 0.5)] } });
        Agrees(golden["kohya_05"], Run(folder, "unet", "out_sample", ("sample", golden["sample"]),
            ("timestep", golden["timestep"].view(1)), ("encoder_hidden_states", golden["encoder_hidden_states"])), Tolerance);
        Agrees(golden["kohya_text_05"], Run(folder, "text_encoder", "last_hidden_state", ("input_ids", golden["input_ids"])), Tolerance);
    }

    [Fact]
    public void DiT_is_told_classes_and_decoded()
    {
        string folder = Exported(At("dit-tiny"));
        var golden = Arrays("dit-tiny", "transformer.golden.npz");
        for (long i = 0; i < golden["timesteps"].shape[0]; i++)
        {
            Agrees(golden["output"][i], Run(folder, "transformer", "out_sample", ("hidden_states", golden["sample"]),
                ("timestep", golden["timesteps"][i].view(1)), ("class_labels", golden["class_labels"])), Tolerance);
        }

        var options = Unprompted with { Guidance = new() { Weight = 4 } };
        using var own = Model.Open(At("dit-tiny"), options);
        using var made = Model.Open(folder, new() { Guidance = options.Guidance });
        Assert.Equal((own.Shape, own.Classes), (made.Shape, made.Classes));
        Tensor x = Noise(3, 4, 16, 16) * 5, sigma = tensor(new[] { 0.3f, 4, 50 }), labels = tensor(new long[] { 0, 3, -1 });
        Agrees(own.Denoiser.Denoise(x, sigma, labels), made.Denoiser.Denoise(x, sigma, labels), Tolerance);
        Agrees(own.ImagesOf(x), made.ImagesOf(x), Tolerance);
    }

    [Theory]
    [InlineData("sd3-tiny", "transformer")]
    [InlineData("sd35-tiny", "transformer")]
    [InlineData("flux-tiny", "transformer")]
    [InlineData("lcm-tiny", "unet")]
    [InlineData("sd2-v-tiny", "unet")]
    [InlineData("sdxl-tiny", "unet")]
    public void Networks_of_text_go_out_and_are_read_as_they_were(string name, string part)
    {
        string copied = Copied(name, part, "scheduler"), folder = Exported(copied);
        var golden = Arrays(name, $"{part}.golden.npz");
        bool isFlux = name == "flux-tiny", isFlow = part == "transformer";
        Tensor? Told(string key) => golden.GetValueOrDefault(key);
        for (long i = 0; i < golden["timesteps"].shape[0]; i++)
        {
            List<(string, Tensor)> inputs = [("timestep", golden["timesteps"][i].view(1) / (isFlux ? 1000 : 1))];
            inputs.Add(isFlow ? ("hidden_states", golden["hidden_states"]) : ("sample", golden["sample"]));
            foreach (string key in new[]
            { "encoder_hidden_states", "pooled_projections", "text_embeds", "time_ids", "timestep_cond", "guidance", "img_ids", "txt_ids" })
            {
                if (Told(key) is { } value)
                    inputs.Add((key, value));
            }

            string output = isFlow ? "out_hidden_states" : "out_sample";
            Agrees(golden[name == "sd2-v-tiny" ? "v" : "output"][i], Run(folder, part, output, [.. inputs]), Tolerance);
        }

        var told = new GivenConditions(new()
        {
            Context = golden["encoder_hidden_states"],
            Pooled = Told("pooled_projections") ?? Told("text_embeds"),
            Sizes = Told("time_ids"),
            GuidanceScale = Told("guidance") ?? Told("w"),
        });
        using var own = ModelSource.Open(copied);
        own.Denoiser.Conditions = told;
        var shape = golden[isFlux ? "latents" : isFlow ? "hidden_states" : "sample"].shape;
        using var made = OnnxModel.Open(Path.Combine(folder, part, "model.onnx"), null, 1, around: new()
        {
            Description = new() { Shape = new ImageShape((int)shape[1], (int)shape[2], (int)shape[3]) },
            Noise = DiffusersNoise.Read(Path.Combine(folder, "scheduler", "scheduler_config.json")).Preconditioning,
            Conditions = _ => told,
        });
        Tensor x = Noise(shape) * 5, sigma = tensor(new[] { 0.4f, 6 }), labels = tensor(new long[] { 1, 0 });
        foreach (int _ in new[] { 1, 2 }) // the second result is written into memory that is there
            Agrees(own.Denoiser.Denoise(x, sigma, labels), made.Denoiser.Denoise(x, sigma, labels), Tolerance);
    }

    [Theory]
    [InlineData("sd3")]
    [InlineData("sd3-without-t5")]
    [InlineData("flux")]
    [InlineData("schnell")]
    public void Pipelines_with_T5_make_the_images_of_their_checkpoints(string kind)
    {
        bool isFlux = !kind.StartsWith("sd3", StringComparison.Ordinal);
        string root = isFlux ? TextPipelines.Flux(_folder.File(kind), isSchnell: kind == "schnell")
            : TextPipelines.StableDiffusion3(_folder.File(kind), hasT5: kind == "sd3");
        var size = new ModelReadOptions { Resolution = 32 };
        string folder = Exported(root, Unprompted with { Checkpoint = size });
        var options = Guided with { Guidance = isFlux ? null : new() { Weight = 5 } };
        using var own = Model.Open(root, options with { Checkpoint = size });
        using var made = Model.Open(folder, options with { ComputeType = null, Onnx = new() { Shape = new ImageShape(3, 32, 32) } });
        Assert.Equal((own.Shape, own.Summary.Latents, own.Summary.Guidance), (made.Shape, made.Summary.Latents, made.Summary.Guidance));
        var sampler = new Sampler(FlowMatchScheduler.Of(root)!.Schedule(2), new EulerSolver());
        SampledBatch Sampled(Model model) => model.Batches(sampler, null).Sample([5, 6]).Single();
        Tensor expected = Sampled(own).Images, latents = Sampled(made).Images;
        Agrees(expected, latents, Tolerance);
        Agrees(own.ImagesOf(expected), made.ImagesOf(latents), Tolerance);
    }

    [Fact]
    public void Text_encoders_with_a_projection_and_T5_give_their_states()
    {
        string clip = At("sdxl-tiny", "text_encoder_2"), t5 = At("t5-tiny", "text_encoder");
        using var projecting = TextEncoder.Open(clip);
        var golden = Arrays("sdxl-tiny", "text_encoder_2.golden.npz");
        string folder = Saved(new ClipTextPart("clip", projecting, Config<ClipTextOptions>(clip)));
        foreach (var (output, expected) in new[]
        { ("text_embeds", "text_embeds"), ("last_hidden_state", "last_hidden_state"), ("hidden_states.1", "penultimate") })
        {
            Agrees(golden[expected], Run(folder, "clip", output, ("input_ids", golden["input_ids"])), Tolerance);
        }

        using var encoder = TextEncoder.Open(t5);
        golden = Arrays("t5-tiny", "text_encoder.golden.npz");
        folder = Saved(new T5Part("t5", encoder, Config<T5Options>(t5)));
        Agrees(golden["last_hidden_state"], Run(folder, "t5", "last_hidden_state", ("input_ids", golden["input_ids"])), Tolerance);
        var ids = golden["input_ids"].repeat(1, 5); // farther apart than the encoder tells distances
        Agrees(encoder.Encode(ids, TextLayer.Last).Hidden, Run(folder, "t5", "last_hidden_state", ("input_ids", ids)), Tolerance);
    }

    [Fact]
    public void Prompts_of_two_encoders_become_what_they_are_natively()
    {
        string pipeline = _folder.File("xl"), second = At("sdxl-tiny", "text_encoder_2");
        foreach (var (from, to) in new[]
        {
            (At("sd15-tiny", "text_encoder"), "text_encoder"), (second, "text_encoder_2"), (At("sd15-tiny", "tokenizer"), "tokenizer"),
            (At("sd15-tiny", "tokenizer"), "tokenizer_2"),
        })
        {
            Copy(from, Path.Combine(pipeline, to));
        }

        var options = new TextEncodingOptions { Told = new(3, 32, 48) };
        using var own = TextEncoding.Open(pipeline, options);
        string parts = "";
        foreach (string part in new[] { "text_encoder", "text_encoder_2" })
        {
            string folder = Path.Combine(pipeline, part);
            using var encoder = TextEncoder.Open(folder);
            parts = Saved(new ClipTextPart(part, encoder, Config<ClipTextOptions>(folder)));
        }

        using var made = TextEncoding.Open(pipeline, options, (part, _) => OnnxTextEncoder.Open(parts, part, 1, null));
        Assert.Equal(own.Widths, made.Widths);
        string[] prompts = [.. Texts, ""];
        NetworkCondition expected = own.Encode(prompts), told = made.Encode(prompts);
        Assert.All(expected.Tensors.Zip(told.Tensors), pair => Agrees(pair.First, pair.Second, Tolerance));
        Assert.Equal(3, told.Tensors.Count());
    }

    [Fact]
    public void Large_weights_lie_beside_the_file_and_float16_halves_them()
    {
        using var model = Model.Open(At("sd15-tiny"), Unprompted);
        string one = _folder.File("one"), outside = _folder.File("outside"), half = _folder.File("half");
        var whole = OnnxExport.WritePipeline(model, one);
        var split = new OnnxPipelineExport(model, new()) { LargestFile = 100_000 }.Write(outside, null);
        string data = Path.Combine(outside, "unet", "model.onnx_data");
        Assert.True(new FileInfo(data).Length >= model.Network!.Layout.Count * sizeof(float));
        Assert.False(File.Exists(Path.Combine(one, "unet", "model.onnx_data")));
        Assert.InRange((double)split.Bytes / whole.Bytes, 0.98, 1.05);
        Assert.Equal(["model.onnx_data"],
            OnnxFileScan.ExternalFiles(Path.Combine(outside, "unet", "model.onnx")).Select(Path.GetFileName));
        using var first = Model.Open(one, new() { NeedsNoPrompts = true });
        using var second = Model.Open(outside, new() { NeedsNoPrompts = true });
        Tensor x = Noise(1, 4, 16, 16), sigma = ones(1);
        Agrees(first.Denoiser.Denoise(x, sigma, null), second.Denoiser.Denoise(x, sigma, null), 1e-6);
        var rounded = OnnxExport.WritePipeline(model, half, options: new() { HalfWeights = true });
        Assert.InRange((double)rounded.Bytes / whole.Bytes, 0.4, 0.75);
        Assert.InRange(rounded.RoundingError, 1e-6, 0.05);
        Assert.Contains("is there already", Assert.Throws<InvalidInputException>(
            () => AtomicFolder.RequireFree("--output", half)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fitted_sampler_lies_beside_bound_to_the_folders_network()
    {
        using var model = Model.Open(At("sd15-tiny"), Guided);
        var schedule = model.CreateSampler("karras", "euler", 2).Schedule;
        StepCorrection[] corrections = [new() { Slope = 0.1 }, new() { Differences = [0.2], Slope = -0.05 }];
        var sampler = new Sampler(schedule, new FittedSolver(SolverCatalog.Find("euler"), schedule, corrections))
        { Origin = new() { ModelHash = model.NetworkHash, Fit = HandMadeFit.Origin } };
        string folder = _folder.File("with-sampler");
        OnnxExport.WritePipeline(model, folder, sampler);
        using var made = Model.Open(folder, new() { Prompts = Texts, Guidance = Guided.Guidance });
        var read = Sampler.Read(Path.Combine(folder, "n2.sampler.json"));
        Assert.NotEqual(model.NetworkHash, read.Origin.ModelHash);
        Agrees(model.Batches(sampler, null).Sample([5]).Single().Images, made.Batches(read, null).Sample([5]).Single().Images, Tolerance);
        var idle = Assert.Throws<InvalidInputException>(() => OnnxExport.WritePipeline(model, _folder.File("guided")));
        Assert.Contains("says the guidance", idle.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("guided")));
    }

    [Fact]
    public void An_EDM2_network_is_one_file_like_other_models_of_images()
    {
        using var model = Model.Open(At("edm2-tiny", "edm2-tiny-cond.pkl"), Unprompted);
        string file = _folder.File("edm2.onnx");
        OnnxExport.Write(model, file);
        var golden = Arrays("edm2-tiny", "edm2-tiny.golden.npz");
        using var made = Model.Open(file);
        Agrees(golden["denoised"], made.Denoiser.Denoise(golden["x"], golden["sigma"], golden["labels"].argmax(1)), Tolerance);
    }

    [Fact]
    public async Task The_command_line_writes_a_folder_and_samples_it()
    {
        string folder = _folder.File("pipeline"), images = _folder.File("images");
        string[] export = ["export", "--to", "onnx", "--model", At("sd15-tiny"), "--output"];
        var told = await CommandLineRun.Json([.. export, folder, "--license", "CC0-1.0"]);
        Assert.Equal("pipeline", told.GetProperty("kind").GetString());
        Assert.InRange(told.GetProperty("relative_error").GetDouble(), 0, Tolerance);
        Assert.Equal("CC0-1.0", OnnxFileScan.Properties(Path.Combine(folder, "unet", "model.onnx"))["fewstep.license"]);
        await CommandLineRun.Json(
            "sample", "--model", folder, "--prompt", Texts[0], "--sampler", "karras/euler/1", "--seeds", "5", "--out", images);
        Assert.True(File.Exists(Path.Combine(images, "000005.png")));
        await CommandLineRun.Refused("Give a folder", [.. export, _folder.File("m.onnx")]);
        await CommandLineRun.Refused("is there already", [.. export, folder]);
        await CommandLineRun.Refused("says the guidance", [.. export, _folder.File("guided"), "--guidance", "4"]);
        var refused = Assert.Throws<InvalidInputException>(() =>
        {
            using var model = Model.Open(At("sd15-tiny"), Unprompted);
            OnnxExport.Write(model, _folder.File("m.onnx"));
        });
        Assert.Contains("Give a folder", refused.Message, StringComparison.Ordinal);
    }

    private static T Config<T>(string folder)
    {
        string path = Path.Combine(folder, "config.json");
        return TextConfig.Read<T>(path, JsonFile.ReadPython(path));
    }

    private static Tensor Noise(params long[] shape)
    {
        using var generator = new Generator(3);
        return randn(shape, generator: generator);
    }

    private static Tensor Run(string folder, string part, string output, params (string Name, Tensor Value)[] inputs)
    {
        using var session = new OnnxSession(Path.Combine(folder, part, "model.onnx"), 1);
        return session.Run([.. inputs.Select(input =>
        {
            var element = session.Inputs[input.Name].ElementDataType;
            return (input.Name, input.Value.to(OnnxTensors.TypeOf(element)!.Value).contiguous(), element, input.Value.shape);
        })], output);
    }

    private string Exported(string path, ModelOptions? options = null)
    {
        using var model = Model.Open(path, options ?? Unprompted);
        string folder = _folder.File("exported");
        var written = OnnxExport.WritePipeline(model, folder);
        Assert.InRange(written.Error, 0, 2e-5);
        return folder;
    }

    private string Copied(string name, params string[] parts)
    {
        string root = _folder.File(name);
        foreach (string part in parts)
            Copy(At(name, part), Path.Combine(root, part));
        return root;
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    private string Saved(PipelineNetwork part)
    {
        var graph = new OnnxGraph(part.Folder, new Dictionary<string, string>(), inHalf: false);
        part.Write(graph);
        string folder = _folder.File("parts"), file = Path.Combine(folder, part.Folder, "model.onnx");
        AtomicFile.Write(file, stream => Google.Protobuf.MessageExtensions.WriteTo(graph.Finish(), stream));
        return folder;
    }
}
