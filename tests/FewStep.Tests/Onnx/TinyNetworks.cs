using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Noise;

namespace FewStep.Tests.Onnx;

/// <summary>Small networks of every architecture, with random weights, that together have every option that an export must write.</summary>
internal static class TinyNetworks
{
    public static readonly IReadOnlyDictionary<string, ModelConfig> All = new Dictionary<string, ModelConfig>
    {
        ["song-classes"] = Of(Song(1) with { LabelDim = 3, ChannelMult = [1, 2], AttnResolutions = [4] }, new(), classes: 3),
        ["song-patches"] = Of(
            Song(8) with { ImgResolution = 4, ChannelMult = [1, 2], AttnResolutions = [4, 2] },
            new() { Kind = "vp" }, channels: 2, patch: 2),
        ["song-ncsn"] = Of(
            Song(1) with
            {
                ChannelMult = [1, 2],
                EmbeddingType = "fourier",
                ChannelMultNoise = 2,
                EncoderType = "residual",
                ResampleFilter = [1, 3, 3, 1],
            },
            new() { Kind = "ve", SigmaMin = 0.02, SigmaMax = 100 }),
        ["song-skips"] = Of(
            Song(2) with { ChannelMult = [1, 1, 2], EncoderType = "skip", DecoderType = "skip", ResampleFilter = [1, 3, 3, 1] },
            new() { Kind = "consistency", SigmaMax = 20 }, channels: 2),
        ["adm-variance"] = Of(
            Adm(2) with { OutChannels = 4, LabelDim = 5, AttnResolutions = [4], Heads = 2 }, new() { Kind = "iddpm", TimeSteps = 100 },
            channels: 2, classes: 5),
        ["adm-plain"] = Of(
            Adm(1) with { ScaleShift = false, NormGroups = 4, MiddleAttentionGroups = 0, ChannelsPerHead = 8 },
            new() { Prediction = NetworkPrediction.V, NoiseLabelScale = 1000 }),
        ["ddpm"] = Of(
            Ddpm(1), new() { Kind = "discrete", TimeSteps = 100, Prediction = NetworkPrediction.V }),
        ["ddpm-symmetric"] = Of(
            Ddpm(1) with
            {
                SymmetricPadding = true,
                ScaleShift = true,
                CosineFirst = true,
                FrequencyEndpoint = false,
                Heads = 2,
                LabelDim = 2,
            },
            new()
            {
                Kind = "discrete",
                Noise = DiscreteVpNoise.CosineName,
                Prediction = NetworkPrediction.Sample,
                TimeRounding = TimeRounding.Between,
                TimeScale = 0.5,
            },
            classes: 2),
        ["edm2"] = Of(
            new Edm2UNetOptions
            {
                ImgResolution = 8,
                InChannels = 2,
                OutChannels = 2,
                ModelChannels = 8,
                ChannelMult = [1, 2],
                NumBlocks = 1,
                AttnResolutions = [4],
                ChannelsPerHead = 8,
                ClipAct = 2,
            },
            new(), channels: 2),
        ["dit"] = Of(
            new DiTOptions
            {
                ImgResolution = 8,
                InChannels = 2,
                OutChannels = 4,
                LabelDim = 3,
                Layers = 2,
                Heads = 2,
                ChannelsPerHead = 8,
                NormEpsilon = 1e-5,
            },
            new() { Kind = "discrete", TimeSteps = 100, TimeRounding = TimeRounding.Between }, channels: 2, classes: 3),
        ["dit-shared"] = Of(
            new DiTOptions
            {
                ImgResolution = 4,
                InChannels = 1,
                OutChannels = 1,
                LabelDim = 2,
                Layers = 1,
                Heads = 1,
                ChannelsPerHead = 8,
                PatchSize = 4,
                SharedEmbedding = true,
                AttentionBias = false,
                PositionScale = 2,
            },
            new() { Kind = "flow" }, classes: 2),
        ["ddpm-nearest-logarithm"] = Of(
            Ddpm(1) with { HasMiddle = false }, new() { Kind = "discrete", TimeSteps = 50, TimeRounding = TimeRounding.NearestLogarithm }),
    };

    /// <summary>Writes one of them as a model folder.</summary>
    /// <param name="change">Changes the flat weights.</param>
    public static string Write(string folder, string name, long seed = 1, Action<Tensor>? change = null)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        var config = All[name];
        using var denoiser = ModelFolder.Initialize(config, seed);
        // Fresh networks end in zeros, with which every model is the same.
        var weights = denoiser.Weights + (randn(denoiser.Weights.shape, generator: generator) * 0.1);
        change?.Invoke(weights);
        ModelFolder.Write(folder, config, denoiser, weights);
        return folder;
    }

    private static SongUNetOptions Song(int channels) => new()
    {
        ImgResolution = 8,
        InChannels = channels,
        OutChannels = channels,
        ModelChannels = 8,
        NumBlocks = 1,
        AttnResolutions = [],
        LabelDropout = 0.1,
    };

    private static DhariwalUNetOptions Adm(int channels) => new()
    {
        ImgResolution = 8,
        InChannels = channels,
        OutChannels = channels,
        ModelChannels = 16,
        ChannelMult = [1, 2],
        NumBlocks = 1,
        AttnResolutions = [],
        LabelDropout = 0.1,
    };

    private static DdpmUNetOptions Ddpm(int channels) => new()
    {
        ImgResolution = 8,
        InChannels = channels,
        OutChannels = channels,
        BlockChannels = [8, 16],
        NumBlocks = 1,
        AttnResolutions = [4],
        NormGroups = 4,
    };

    private static ModelConfig Of(
        INetworkOptions network, PreconditioningConfig preconditioning, int channels = 1, int classes = 0, int patch = 1) => new()
        {
            Name = "tiny",
            Shape = new ImageShape(channels, 8, 8),
            Classes = classes,
            PatchSize = patch,
            Preconditioning = preconditioning,
            Network = network,
        };
}
