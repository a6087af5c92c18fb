using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Noise;

namespace FewStep.Tests.Checkpoints;

public sealed class GuidedDiffusionTests : FolderTests
{
    // The golden networks are smaller than the released ones, whose side and heads are the defaults.
    internal static readonly ModelReadOptions Golden16 = new() { Resolution = 16, ChannelsPerHead = 16 };

    [Theory]
    [InlineData("guided-diffusion-adm-cond")]
    [InlineData("guided-diffusion-iddpm-uncond")]
    public void Raw_outputs_are_the_reference_implementation_s(string name)
    {
        using var source = ModelSource.Open(Golden(name + ".pt"), Golden16);
        var result = Assert.Single(ModelVerification.Run(source.Denoiser, Golden(name + ".golden.npz")));
        Assert.Equal("output", result.Compared);
        Assert.InRange(result.LargestRelativeError, 0, 2e-5);
    }

    [Fact]
    public void Labels_that_the_model_does_not_know_are_one_clear_line()
    {
        using var source = ModelSource.Open(Golden("guided-diffusion-iddpm-uncond.pt"), Golden16);
        string path = _folder.File("reference.npz");
        void Refused(NpyArray labels)
        {
            var images = new NpyArray(new float[2 * 3 * 16 * 16], 2, 3, 16, 16);
            NpzFile.Write(path, new Dictionary<string, NpyArray>
            { ["x"] = images, ["sigma"] = new(new[] { 1f, 2f }, 2), ["denoised"] = images, ["labels"] = labels });
            Assert.Contains("neither indices below 0",
                Assert.Throws<InvalidInputException>(() => ModelVerification.Run(source.Denoiser, path)).Message, StringComparison.Ordinal);
        }

        Refused(new NpyArray(Array.Empty<float>(), 2, 0));
        Refused(new NpyArray(new long[] { 0, 1 }, 2));
    }

    [Theory]
    [InlineData("guided-diffusion-adm-cond", 3, 5)]
    [InlineData("guided-diffusion-iddpm-uncond", 6, 0)]
    public void The_architecture_is_inferred_and_the_denoiser_follows_from_the_network(string name, int outChannels, int classes)
    {
        using var scope = NewDisposeScope();
        using var source = ModelSource.Open(Golden(name + ".pt"), Golden16);
        var network = (DhariwalUNetOptions)source.Config.Network;
        Assert.Equal((32, outChannels, classes, 1), (network.ModelChannels, network.OutChannels, source.Config.Classes, network.NumBlocks));
        Assert.Equal([1, 2], network.ChannelMult);
        Assert.Equal((16, 32), (network.ChannelsPerHead, network.NormGroups));
        Assert.NotEmpty(source.Remarks);

        // At a level of its own, D = x - sigma eps(x / sqrt(1 + sigma^2), t), a learnt variance left out.
        var levels = ((DiscreteVpPreconditioning)source.Denoiser.Preconditioning).Noise.Sigmas;
        int[] steps = [0, 500, 999];
        using var generator = new Generator(4);
        Tensor x = randn([3, 3, 16, 16], generator: generator), sigma = tensor(steps.Select(t => (float)levels[t]).ToArray());
        Tensor column = sigma.view(3, 1, 1, 1);
        Tensor? labels = classes > 0 ? tensor(new long[] { 0, 3, 4 }) : null;
        Tensor noise = source.Denoiser.Raw(x / (1 + column * column).sqrt(), tensor(steps.Select(t => (float)t).ToArray()), labels)
            .narrow(1, 0, 3);
        Tensor expected = x - column * noise;
        Tensor actual = source.Denoiser.Denoise(x, sigma, labels);
        Assert.True((actual - expected).abs().max().item<float>() <= 1e-5 * expected.abs().max().item<float>());
    }

    [Theory]
    [InlineData("edm-adm-cond")]
    [InlineData("iddpm-adm-cond")]
    public void Names_of_guided_diffusion_and_back_change_no_bit(string name)
    {
        using var scope = NewDisposeScope();
        foreach (var order in new[] { AttentionOrder.Legacy, AttentionOrder.New })
        {
            using var pickle = ModelSource.Open(Golden(name + ".pkl"));
            string first = _folder.File("first"), second = _folder.File("second"), exported = _folder.File("exported.safetensors");
            ModelFolder.Write(first, pickle.Config, pickle.Denoiser, pickle.Denoiser.Weights);
            using var folder = ModelSource.Open(first);
            GuidedDiffusionNames.Write(exported, folder.Config, folder.Denoiser, order);
            using var renamed = ModelSource.Open(exported);
            ModelFolder.Write(second, renamed.Config, renamed.Denoiser, renamed.Denoiser.Weights);
            using var back = ModelSource.Open(second);
            var (before, after) = (pickle.Config.Preconditioning, back.Config.Preconditioning);
            Assert.Equal(before with { Sigmas = null }, after with { Sigmas = null });
            Assert.Equal(before.Sigmas, after.Sigmas);

            // Weights for augmentation labels, which are always absent, have no name there.
            var original = Named(pickle.Denoiser);
            var returned = Named(back.Denoiser);
            Assert.Equal(original.Keys.Where(n => n != "map_augment.weight").Order(), returned.Keys.Order());
            Assert.All(returned, pair => Assert.Equal(original[pair.Key].data<float>().ToArray(), pair.Value.data<float>().ToArray()));
        }
    }

    [Fact]
    public void State_dictionaries_come_back_under_their_own_names()
    {
        string path = Golden("guided-diffusion-adm-cond.pt");
        using var scope = NewDisposeScope();
        using var source = ModelSource.Open(path, Golden16);
        var original = TorchStateFile.Read(path);
        var renamed = GuidedDiffusionNames.ToGuidedDiffusion(
            (DhariwalUNetOptions)source.Config.Network, Named(source.Denoiser), AttentionOrder.Legacy);
        Assert.Equal(original.Keys.Order(), renamed.Keys.Order());
        Assert.All(renamed, pair =>
        {
            Assert.Equal(original[pair.Key].shape, pair.Value.shape);
            Assert.Equal(original[pair.Key].data<float>().ToArray(), pair.Value.data<float>().ToArray());
        });
        foreach (Tensor tensor in original.Values)
            tensor.Dispose();
    }

    [Fact]
    public void Options_say_what_the_file_does_not()
    {
        string path = Golden("guided-diffusion-adm-cond.pt");
        using var edm = ModelSource.Open(path, Golden16 with { Preconditioning = "edm", SigmaData = 0.6 });
        Assert.Equal((0.6, 1000.0), (edm.Config.Preconditioning.SigmaData, edm.Config.Preconditioning.NoiseLabelScale));
        using var linear = ModelSource.Open(
            path, Golden16 with { Noise = DiscreteVpNoise.LinearName, TimeSteps = 500, Prediction = NetworkPrediction.V });
        Assert.Equal((0.0002, 0.04, 500),
            (linear.Config.Preconditioning.BetaStart, linear.Config.Preconditioning.BetaEnd, linear.Config.Preconditioning.TimeSteps));
        Assert.NotEqual(edm.Hash, linear.Hash);
        Refused.With("heads of 48 channels", () => ModelSource.Open(path, new ModelReadOptions { Resolution = 16, ChannelsPerHead = 48 }));
        Refused.With("no discrete noise", () => ModelSource.Open(path, Golden16 with { Preconditioning = "edm", TimeSteps = 10 }));
        Refused.With("standard deviation", () => ModelSource.Open(path, Golden16 with { SigmaData = 0.5 }));
        Refused.With("'ema'", () => ModelSource.Open(path, Golden16 with { Section = "ema" }));
        Refused.With("resolution", () => ModelSource.Open(Golden("edm-adm-cond.pkl"), Golden16));
        Refused.With("resolution 0", () => ModelSource.Open(path, Golden16 with { Resolution = 0 }));
        Refused.With("heads 0", () => ModelSource.Open(path, Golden16 with { Heads = 0 }));
        Refused.With("multiples of 2", () => ModelSource.Open(path, Golden16 with { Resolution = 15 }));
    }

    [Theory]
    [InlineData(false, 4, 4, true)]
    [InlineData(false, 4, 2, false)]
    [InlineData(true, 4, 2, true)]
    public void Improved_diffusion_s_layout_and_its_heads_compute_what_their_description_says(
        bool residual, int heads, int headsUp, bool scaleShift)
    {
        using var scope = NewDisposeScope();
        using var reference = new DiffusersReference([32, 64], [false, true], 1, 64 / heads, 1e-5, 32, scaleShift, 1, true, 0)
        { ByResidualBlocks = residual, HeadChannelsUp = 64 / headsUp, Classes = 3 };
        Tensor x = randn(2, 3, 16, 16), steps = tensor(new[] { 3f, 871f }), labels = tensor(new long[] { 2, 0 });
        Tensor expected = reference.Forward(x, steps, labels);
        string path = _folder.File("improved.safetensors");
        SafetensorsFile.Write(
            path, DiffusersToGuidedDiffusion.Rename(reference.State, 1, [false, true], heads, headsUp, residual));
        var options = new ModelReadOptions { Resolution = 16, Heads = heads, HeadsUpsample = headsUp == heads ? null : headsUp };
        using var source = ModelSource.Open(path, options);
        Tensor actual = source.Denoiser.Raw(x, steps, labels);
        Assert.InRange(((actual - expected).abs().max() / expected.abs().max()).item<float>(), 0, 2e-5);
        Refused.With("the number of heads after the middle", () => ModelSource.Open(
            path, options with { Heads = null, ChannelsPerHead = 16, HeadsUpsample = 2 }));
        Refused.With("3 heads", () => ModelSource.Open(path, options with { HeadsUpsample = 3 }));

        // Of 4,000 time steps the network is told a quarter.
        Assert.Equal(residual ? 1000 : 4000, source.Config.Preconditioning.TimeSteps);
        Assert.Equal(residual ? null : 0.25, source.Config.Preconditioning.TimeScale);
        using var plain = ModelSource.Open(path, options with { TimeSteps = 500, RescaledTimes = true });
        var discrete = (DiscreteVpPreconditioning)plain.Denoiser.Preconditioning;
        Assert.Equal(2 * 77, discrete.Coefficients(tensor(new[] { discrete.Noise.Sigmas[77] })).Noise.item<double>(), 9);
    }

    [Theory]
    [InlineData("module.")]
    [InlineData("module._orig_mod.model.")]
    [InlineData("ema.")]
    public void What_training_programs_wrap_around_names_is_taken_off(string prefix)
    {
        using var scope = NewDisposeScope();
        using var tensors = TorchStateFile.Read(Golden("guided-diffusion-adm-cond.pt"));
        string path = _folder.File("wrapped.safetensors");
        var wrapped = tensors.ToDictionary(t => prefix + t.Key, t => t.Value);
        bool named = prefix == "ema.";
        if (named)
            wrapped["decay"] = zeros(1);
        SafetensorsFile.Write(path, wrapped);
        using var source = ModelSource.Open(path, Golden16 with { Section = named ? "ema" : null });
        using var original = ModelSource.Open(Golden("guided-diffusion-adm-cond.pt"), Golden16);
        Assert.Equal(original.Denoiser.Weights.data<float>().ToArray(), source.Denoiser.Weights.data<float>().ToArray());
        if (named)
            Refused.With("'decay', 'ema'", () => ModelSource.Open(path, Golden16 with { Section = "model" }));
    }

    [Theory]
    [InlineData("blocks.0.adaLN_modulation.1.weight", "a DiT transformer")]
    [InlineData("decoder.up.0.block.0.conv1.weight", "an autoencoder")]
    [InlineData("first_stage_model.encoder.conv_in.weight", "latent diffusion")]
    [InlineData("lora_unet_mid_block.alpha", "a LoRA")]
    [InlineData("mid_block.resnets.0.norm1.weight", "without its config.json")]
    [InlineData("down_blocks.0.attentions.0.transformer_blocks.0.norm1.weight", "conditioned on text")]
    [InlineData("unet.emb_fourier.freqs", "an EDM2 network")]
    public void Other_networks_are_refused_by_what_they_are(string name, string what)
    {
        using var one = zeros(1);
        string path = _folder.File("other.safetensors");
        SafetensorsFile.Write(path, new Dictionary<string, Tensor> { [name] = one });
        Refused.With(what, () => ModelSource.Open(path));
    }

    [Theory]
    [InlineData("model.pt")]
    [InlineData("model.pkl")]
    [InlineData("model.safetensors")]
    [InlineData("model.onnx")]
    public void A_pointer_of_git_s_large_files_is_named_as_such(string name)
    {
        string path = _folder.Write(name, "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 123456\n"u8);
        Refused.With("is a Git LFS pointer", () => Model.Open(path));
    }

    public static TheoryData<string, string> Damages => new()
    {
        { "missing", "out.0.bias" },
        { "unknown", "extra.weight" },
        { "shape", "time_embed.2.bias" },
        { "nan", "out.0.bias" },
        { "half", "input_blocks.1.0.out_layers.3.weight" },
        { "classifier", "out.2.positional_embedding" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void Other_networks_are_refused_by_the_offending_key(string damage, string key)
    {
        using var scope = NewDisposeScope();
        var tensors = TorchStateFile.Read(Golden("guided-diffusion-adm-cond.pt"));
        switch (damage)
        {
            case "missing":
                tensors.Remove(key);
                break;
            case "nan":
                tensors[key] = full_like(tensors[key], double.NaN);
                break;
            case "half":
                tensors[key] = tensors[key].narrow(0, 0, 16);
                break;
            default:
                tensors[key] = zeros(3);
                break;
        }

        string path = _folder.File("damaged.safetensors");
        SafetensorsFile.Write(path, tensors);
        Refused.With($"'{key}'", () => ModelSource.Open(path, Golden16));
        foreach (Tensor tensor in tensors.Values)
            tensor.Dispose();
    }

    [Fact]
    public void Changed_files_are_refused_or_read_but_never_fail_otherwise()
    {
        using var scope = NewDisposeScope();
        using var source = ModelSource.Open(Golden("guided-diffusion-adm-cond.pt"), Golden16);
        string path = _folder.File("changed.safetensors");
        GuidedDiffusionNames.Write(path, source.Config, source.Denoiser);
        byte[] whole = File.ReadAllBytes(path);
        int header = 8 + (int)BitConverter.ToInt64(whole);
        var random = new Random(5);
        for (int i = 0; i < 150; i++)
        {
            byte[] bad = [.. whole];
            for (int k = 0; k < 1 + (i % 3); k++)
            {
                // A digit for a digit, a letter for a letter: the header stays JSON more often.
                int at = random.Next(8, header);
                bad[at] = char.IsAsciiDigit((char)bad[at]) ? (byte)('0' + random.Next(10))
                    : char.IsAsciiLetter((char)bad[at]) ? (byte)('a' + random.Next(26)) : (byte)random.Next(256);
            }

            try
            {
                File.WriteAllBytes(path, bad);
                ModelSource.Open(path).Dispose();
            }
            catch (InvalidInputException e)
            {
                Assert.DoesNotContain(e.Message, char.IsControl);
            }
        }
    }

    [Fact]
    public void A_released_network_is_known_by_its_shapes()
    {
        using var scope = NewDisposeScope();
        var options = new DhariwalUNetOptions { ImgResolution = 64, InChannels = 3, OutChannels = 6, LabelDim = 1000 };
        Assert.Null(GuidedDiffusionNames.Difference(options));
        Assert.NotNull(GuidedDiffusionNames.Difference(options with { ModelChannels = 64 }));

        // Shapes without numbers: views of one zero.
        using var network = new DhariwalUNet(options);
        var shapes = GuidedDiffusionNames.Map(network, AttentionOrder.New).ToDictionary(w => w.Parts[0], w => zeros(1)
            .expand(w.PartShape.Length == 4 && w.Parts[0].Contains("qkv", StringComparison.Ordinal) ? w.PartShape[..3] : w.PartShape));
        var found = new GuidedDiffusionArchitecture(shapes, "64x64_diffusion.pt");
        Assert.Equal((192, 4, 3, 1000, 3, 6),
            (found.ModelChannels, found.EmbeddingMultiplier, found.Blocks, found.Classes, found.InChannels, found.OutChannels));
        Assert.Equal([1, 2, 3, 4], found.Multipliers);
        Assert.Equal([1, 2, 3], found.AttentionLevels);
        Assert.True(found.ScaleShift);
        Assert.False(found.IsConsistencyModels);
        Assert.Null(found.NormGroups);
    }

    internal static Dictionary<string, Tensor> Named(NetworkDenoiser denoiser)
        => denoiser.Layout.Specs.Zip(denoiser.Layout.Views(denoiser.Weights)).ToDictionary(p => p.First.Name, p => p.Second);

    internal static string Golden(string file) => Path.Combine(AppContext.BaseDirectory, "golden", "checkpoints", file);
}
