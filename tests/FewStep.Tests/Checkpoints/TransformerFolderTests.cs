using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Fitting;
using FewStep.Models;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Solvers;
using static FewStep.Tests.GoldenPipelines;

namespace FewStep.Tests.Checkpoints;

public sealed class TransformerFolderTests : FolderTests
{
    [Fact]
    public void A_DiT_is_a_model_of_classes_over_latents()
    {
        using var scope = NewDisposeScope();
        foreach (string path in new[] { At("dit-tiny"), At("dit-tiny", "transformer"),
            At("dit-tiny", "transformer", "diffusion_pytorch_model.safetensors") })
        {
            using var model = Model.Open(path, new ModelOptions { Guidance = new Guidance { Weight = 4 }, ComputeType = float32 });
            Assert.Equal((10, "3x32x32", "4x16x16", true, false), (model.Classes, model.Shape.ToString(),
                model.Summary.Latents!.ToString(), ((IKnowsNoClass)model.Network!).KnowsNoClass, model.IsFlow));
        }

        // A model folder keeps it.
        using var source = ModelSource.Open(At("dit-tiny"));
        string written = _folder.File("written");
        ModelFolder.Write(written, source.Config, source.Denoiser, source.Denoiser.Weights);
        using var copy = ModelSource.Open(written);
        Tensor x = ones(1, 4, 16, 16), sigma = ones(1), label = tensor(new long[] { 3 });
        Tensor expected = source.Denoiser.Denoise(x, sigma, label);
        Assert.Equal(expected.data<float>().ToArray(), copy.Denoiser.Denoise(x, sigma, label).data<float>().ToArray());

        // Half precision, and features of the way through it.
        copy.Denoiser.ComputeType = bfloat16;
        Agrees(expected, copy.Denoiser.Denoise(x, sigma, label), 0.05);
        Assert.Equal([1, 36, 8, 8], Assert.Single(copy.Denoiser.Encode(x, 1)).shape);
    }

    [Fact]
    public void A_flow_that_needs_a_text_says_so()
    {
        using var scope = NewDisposeScope();
        using var source = ModelSource.Open(At("sd3-tiny"));
        var preconditioning = Assert.IsType<FlowPreconditioning>(source.Denoiser.Preconditioning);
        Assert.Equal(1000, preconditioning.TimeScale);
        Assert.Equal(0.002994012, FlowTime.Of(preconditioning.SigmaMin), 9); // 3/1000 / (1 + 2/1000)
        Assert.Contains("own schedule is flow:3 from sigma 1000000 to 0.009009009, a step", source.Remarks[1], StringComparison.Ordinal);
        var own = FlowMatchScheduler.Read(At("sd3-tiny", "scheduler", "scheduler_config.json")).Schedule(4);
        var named = StandardSchedules.Create("flow:3", 3, 0.009009009, 1e6);
        Assert.All(own.Sigmas.Zip(named.Sigmas), pair => Assert.Equal(1, pair.First / pair.Second, 4));
        Refused.With("is told a text", () => source.Denoiser.Denoise(ones(1, 8, 16, 16), ones(1), null));
        string written = _folder.File("sd3");
        ModelFolder.Write(written, source.Config, source.Denoiser, source.Denoiser.Weights);
        using var model = Model.Open(written);
        Assert.Equal((true, FlowTime.UsualSigmaMax), (model.IsFlow, model.ScheduleRange.SigmaMax));
    }

    [Fact]
    public void Guided_latents_are_sampled_and_samplers_are_fitted_to_them()
    {
        using var model = Model.Open(
            At("dit-tiny"), new ModelOptions { Guidance = new Guidance { Weight = 2 }, ComputeType = float32, Threads = 1 });
        var schedule = StandardSchedules.Create("karras", 3, model.ScheduleRange.SigmaMin, model.ScheduleRange.SigmaMax);
        var options = new FitOptions { Latents = 8, HeldOutLatents = 8, TeacherSteps = 8 };
        var fitted = model.FitSamplers([new Sampler(schedule, new EulerSolver())], options)[0];
        using var samples = model.Sample(2, fitted);
        Assert.Equal([2, 3, 32, 32], samples.Images.shape);
        Assert.True(samples.Images.isfinite().all().item<bool>());
    }

    [Fact]
    public void Weights_are_written_in_the_names_that_they_came_in()
    {
        using var scope = NewDisposeScope();
        string path = _folder.File("weights.safetensors");
        using (var source = ModelSource.Open(At("sd3-tiny")))
        {
            DiffusersNames.Write(path, source.Config, source.Denoiser);
            using var expected = SafetensorsFile.Read(At("sd3-tiny", "transformer", "diffusion_pytorch_model.safetensors")).Tensors;
            using var written = SafetensorsFile.Read(path).Tensors;
            Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), written.Keys.Order(StringComparer.Ordinal));
            Assert.All(expected, tensor => Assert.True(tensor.Value.eq(written[tensor.Key]).all().item<bool>()));
        }

        using (var source = ModelSource.Open(At("edm2-tiny", "edm2-tiny-cond.pkl")))
        {
            EdmModel.WriteWeights(path, source.Denoiser);
            using var written = SafetensorsFile.Read(path).Tensors;
            Assert.Contains("unet.enc.8x8_block0.attn_qkv.weight", written.Keys);
        }

        using var original = ModelSource.Open(At("dit-tiny", "dit-original-names.pt"), new ModelReadOptions { Heads = 3 });
        Refused.With("computes differently", () => DiffusersNames.Write(path, original.Config, original.Denoiser));
    }

    [Fact]
    public void A_SiT_has_DiTs_names_and_a_flow_from_the_noise_to_the_image()
    {
        using var scope = NewDisposeScope();
        string path = At("dit-tiny", "dit-original-names.pt");
        using var source = ModelSource.Open(path, new ModelReadOptions { Heads = 3, Preconditioning = "flow" });
        var model = source.Denoiser;
        using var generator = new Generator(3);
        Tensor image = randn([2, 4, 16, 16], generator: generator), noise = randn([2, 4, 16, 16], generator: generator);
        var labels = tensor(new long[] { 1, -1 });
        const double t = 0.75; // of SiT, at which the image is mixed with a quarter of noise
        Tensor mixed = (image * t) + (noise * (1 - t)), sigma = full([2], (1 - t) / t);
        Tensor velocity = model.Raw(mixed, full([2], t), labels).narrow(1, 0, 4);
        // x_t = t image + (1 - t) noise and velocity image - noise give image = x_t + (1 - t) velocity.
        Agrees(mixed + (velocity * (1 - t)), model.Denoise(mixed / t, sigma, labels), 1e-5);
        Assert.IsType<NoiseFamily.FlowTimes>(NoiseFamily.Of(source.Denoiser.Preconditioning));
        Refused.With("leave those options out", () => ModelSource.Open(
            path, new ModelReadOptions { Heads = 3, Preconditioning = "flow", TimeSteps = 1000 }));
    }

    [Fact]
    public void Latents_of_EDM2_are_decoded_by_an_autoencoder_without_its_own_factor()
    {
        using var scope = NewDisposeScope();
        using var pixels = ModelSource.Open(At("edm2-tiny", "edm2-tiny-cond.pkl"));
        var scaling = new LatentScaling([5.81, 3.25, 0.12, -2.15], [4.17, 4.62, 3.71, 3.28]);
        ModelFolder.Write(
            _folder.File("latent"), pixels.Config with { LatentScaling = scaling }, pixels.Denoiser, pixels.Denoiser.Weights);
        using var source = ModelSource.Open(_folder.File("latent"), new ModelReadOptions { Pipeline = At("sd15-tiny", "vae") });
        using var plain = AutoencoderFolder.Read(At("sd15-tiny", "vae"));
        var golden = Arrays("sd15-tiny", "vae.golden.npz");
        Agrees(golden["image"], source.Autoencoder!.Decode(scaling.Scaled(golden["latents"])), OfTrajectory);
        Tensor mean = golden["mean"], latents = source.Autoencoder.Encode(golden["encode_image"]);
        Agrees((mean.select(1, 3) + 2.15) * (0.5 / 3.28), latents.select(1, 3), OfTrajectory);
        Agrees(mean, scaling.Raw(latents), OfTrajectory);
        Assert.NotEqual(plain.Hash, source.Autoencoder.Hash);
        using var alone = ModelSource.Open(_folder.File("latent"));
        Assert.Equal(alone.Hash, source.Hash);
        Refused.With("2 means and 1 deviations for 4", () => new LatentScaling([0, 0], [1]).Checked(4));
        Refused.With("no network of a diffusers pipeline's latents", () => ModelSource.Open(
            At("edm2-tiny", "edm2-tiny-uncond-guide.pkl"), new ModelReadOptions { Pipeline = At("sd15-tiny") }));
    }

    public static TheoryData<string, string, string, string> Unknowns => new()
    {
        { "dit-tiny", "\"norm_type\": \"ada_norm_zero\"", "\"norm_type\": \"ada_norm_single\"", "a PixArt transformer" },
        { "dit-tiny", "\"attention_type\": \"default\"", "\"attention_type\": \"gated\"", "attention_type is 'gated'" },
        { "dit-tiny", "\"dropout\": 0.0", "\"ff_bias\": false", "ff_bias is false" },
        { "dit-tiny", "\"patch_size\": 2", "\"patch_size\": null", "patch_size is null" },
        { "dit-tiny", "\"num_layers\": 2", "\"num_layers\": 3", "lacks 'transformer_blocks.2" },
        { "dit-tiny", "\"num_layers\": 2", "\"num_layers\": 200000000", "layers 200000000 is not in 1..256" },
        { "dit-tiny", "\"num_attention_heads\": 3", "\"num_attention_heads\": 5", "its architecture needs [60" },
        { "dit-tiny", "Transformer2DModel", "PixArtTransformer2DModel", "a PixArt transformer (PixArtTransformer2DModel); read are" },
        { "sd35-tiny", "\"rms_norm\"", "\"layer_norm\"", "qk_norm is 'layer_norm'" },
        { "sd35-tiny", "\"caption_projection_dim\": 32", "\"caption_projection_dim\": 64", "caption_projection_dim is 64" },
        { "sd3-tiny", "\"pos_embed_max_size\": 12", "\"pos_embed_max_size\": 13", "'pos_embed.pos_embed' has shape" },
        { "flux-tiny", "\"out_channels\": null", "\"pooling\": 4", "pooling is 4" },
        { "flux-tiny", "\"patch_size\": 1", "\"patch_size\": 2", "patch_size is 2" },
    };

    [Theory]
    [MemberData(nameof(Unknowns))]
    public void What_is_not_known_is_refused_by_its_key(string name, string known, string unknown, string message)
    {
        string config = File.ReadAllText(At(name, "transformer", "config.json"));
        Assert.Contains(known, config, StringComparison.Ordinal);
        string folder = Copy(name, config.Replace(known, unknown, StringComparison.Ordinal));
        Refused.With(message, () => ModelSource.Open(folder).Dispose());
    }

    [Theory]
    [InlineData("""{"_class_name":"FlowMatchEulerDiscreteScheduler","shift":3,"sigma_curve":"odd"}""", "sigma_curve is")]
    [InlineData("""{"_class_name":"FlowMatchEulerDiscreteScheduler","shift":0}""", "shift is 0")]
    [InlineData("""{"_class_name":"FlowMatchEulerDiscreteScheduler","invert_sigmas":true}""", "invert_sigmas")]
    [InlineData("""{"_class_name":"FlowMatchEulerDiscreteScheduler","use_karras_sigmas":true}""", "use_karras_sigmas")]
    [InlineData("""{"_class_name":"DDIMScheduler","beta_schedule":"linear"}""", "is the scheduler of a diffusion")]
    [InlineData("""{"_class_name":"DDIMScheduler","beta_schedule":"linear","shift":3.0}""", "shift is 3.0")]
    public void A_scheduler_that_does_not_fit_is_refused(string scheduler, string message)
    {
        string folder = Copy("sd3-tiny", null);
        File.WriteAllText(Path.Combine(folder, "scheduler", "scheduler_config.json"), scheduler);
        Refused.With(message, () => ModelSource.Open(folder).Dispose());
    }

    [Fact]
    public void Without_a_scheduler_something_is_assumed_and_said()
    {
        foreach (string name in new[] { "dit-tiny", "sd3-tiny" })
        {
            string folder = Copy(name, null);
            Directory.Delete(Path.Combine(folder, "scheduler"), recursive: true);
            using var source = ModelSource.Open(folder);
            Assert.Contains("There is no scheduler_config.json", source.Remarks[1], StringComparison.Ordinal);
        }

        var stretched = new FlowMatchScheduler { IsDynamic = true, IsLinear = true, TerminalTime = 0.1 }.Times(4, 256);
        Assert.Equal((1, 0.1, 0), (stretched[0], Math.Round(stretched[3], 12), stretched[4]));
    }

    [Fact]
    public void A_DiT_of_other_positions_is_refused()
    {
        using var scope = NewDisposeScope();
        var tensors = TorchStateFile.Read(At("dit-tiny", "dit-original-names.pt"));
        string path = _folder.File("other.safetensors");
        tensors["pos_embed"] = tensors["pos_embed"] + 0.01;
        SafetensorsFile.Write(path, tensors);
        Refused.With("are not DiT's sines and cosines", () => ModelSource.Open(path, new ModelReadOptions { Heads = 3 }).Dispose());
        tensors.Remove("pos_embed");
        SafetensorsFile.Write(path, tensors);
        using var source = ModelSource.Open(path, new ModelReadOptions { Heads = 3, Resolution = 64 });
        Assert.Equal(8, source.Config.Shape.Width);
        Refused.With("do not divide into 5 heads", () => ModelSource.Open(path, new ModelReadOptions { Heads = 5 }).Dispose());
        tensors.Dispose();
    }

    private string Copy(string name, string? config)
    {
        string folder = _folder.File(name);
        foreach (string part in new[] { "transformer", "scheduler" })
        {
            Directory.CreateDirectory(Path.Combine(folder, part));
            foreach (string file in Directory.EnumerateFiles(At(name, part)))
                File.Copy(file, Path.Combine(folder, part, Path.GetFileName(file)), overwrite: true);
        }

        if (config is not null)
            File.WriteAllText(Path.Combine(folder, "transformer", "config.json"), config);
        return folder;
    }
}
