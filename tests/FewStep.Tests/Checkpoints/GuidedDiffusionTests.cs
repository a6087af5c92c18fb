using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Noise;

namespace FewStep.Tests.Checkpoints;

public sealed class GuidedDiffusionTests : IDisposable
{
    // The golden networks are smaller than the released ones, whose side and heads are the defaults.
    internal static readonly ModelReadOptions Golden16 = new() { Resolution = 16, ChannelsPerHead = 16 };

    private readonly TemporaryFolder _folder = new();

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
            Assert.Equal(pickle.Config.Preconditioning, back.Config.Preconditioning);

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

    public static TheoryData<string, string> Damages => new()
    {
        { "missing", "out.0.bias" },
        { "unknown", "extra.weight" },
        { "shape", "time_embed.2.bias" },
        { "strided", "input_blocks.2.0.op.weight" },
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

    public void Dispose() => _folder.Dispose();

    internal static Dictionary<string, Tensor> Named(NetworkDenoiser denoiser)
        => denoiser.Layout.Specs.Zip(denoiser.Layout.Views(denoiser.Weights)).ToDictionary(p => p.First.Name, p => p.Second);

    internal static string Golden(string file) => Path.Combine(AppContext.BaseDirectory, "golden", "checkpoints", file);
}
