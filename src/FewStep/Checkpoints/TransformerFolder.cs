using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Reads folders of diffusers with a transformer that denoises latents: DiT, Stable Diffusion 3 and 3.5, Flux.</summary>
internal static class TransformerFolder
{
    /// <summary>Side of latents where a folder does not say it.</summary>
    public const int UsualSide = 128;

    /// <summary>Side of the patches of latents that are a flow transformer's tokens, by whose number diffusers' pipelines shift
    /// times.</summary>
    public const int PatchOfFlows = 2;

    // A new class is its configuration and a line here.
    private static readonly Dictionary<string, Func<Dictionary<string, JsonElement>, string, int?, Description>> Readers =
        new(StringComparer.Ordinal)
        {
            ["Transformer2DModel"] = DiT,
            ["DiTTransformer2DModel"] = DiT,
            ["SD3Transformer2DModel"] = SD3,
            ["FluxTransformer2DModel"] = Flux,
        };

    /// <summary>The classes that are read.</summary>
    public static IReadOnlyList<string> Classes { get; } = [.. Readers.Keys];

    /// <summary>Tokens of a flow's latents, which a dynamic shift depends on.</summary>
    public static long TokensOfFlow(ImageShape latents) => (long)(latents.Height / PatchOfFlows) * (latents.Height / PatchOfFlows);

    /// <summary>Whether a path is such a folder, that of its pipeline, or a file of weights in it.</summary>
    public static bool IsOne(string path) => LatentPipeline.ClassAt(path) is string name && Readers.ContainsKey(name);

    /// <returns>The model; the caller owns it.</returns>
    public static ModelSource Read(string path, ModelReadOptions options)
    {
        var latents = LatentPipeline.At(path, options);
        var pipeline = latents.Parts;
        var given = JsonFile.ReadPython(pipeline.Config);
        string name = pipeline.NetworkClass!;
        var network = Readers[name](given, pipeline.Config, latents.Side);
        var (preconditioning, remarks) = Preconditioning(pipeline, network.IsFlow, options);
        var config = new ModelConfig
        {
            Name = HubCache.NameOf(pipeline.Root),
            Shape = network.Shape,
            Classes = network.Options.LabelDim,
            PatchSize = network.Patch,
            Preconditioning = preconditioning,
            Network = network.Options,
        };
        if (network.IsFlow && pipeline.Scheduler is string scheduler)
            remarks = [.. remarks, FlowMatchScheduler.Read(scheduler).Remark(TokensOfFlow(config.Shape))];

        return latents.Read(config, name, remarks, (tensors, source) => ModelFolder.Build(config, tensors, source));
    }

    private static (PreconditioningConfig, IReadOnlyList<string> Remarks) Preconditioning(
        DiffusersPipeline pipeline, bool isFlow, ModelReadOptions options)
    {
        string kind = "a diffusers folder of a transformer";
        if (pipeline.Scheduler is string file)
        {
            options.RefuseAllBut(pipeline.Root, kind + " with a scheduler", [.. LatentPipeline.OptionNames]);
            var read = DiffusersNoise.Read(file);
            bool toldFlow = read.Preconditioning.Kind == PreconditioningConfig.Flow;
            return toldFlow == isFlow ? read : throw new InvalidInputException($"{file} is the scheduler of {(toldFlow ? "a rectified flow"
                : "a diffusion")}, but its network is {(isFlow ? "a flow's" : "a diffusion's")}; take the scheduler that it came with.");
        }

        if (isFlow)
        {
            options.RefuseAllBut(pipeline.Root, kind, [.. LatentPipeline.OptionNames]);
            return (new FlowMatchScheduler().Preconditioning,
                ["There is no scheduler_config.json; times are taken as a rectified flow's, unshifted."]);
        }

        options.RefuseAllBut(pipeline.Root, kind, [.. LatentPipeline.OptionNames, nameof(options.Preconditioning),
            nameof(options.Noise), nameof(options.TimeSteps), nameof(options.Prediction), nameof(options.SigmaData)]);
        var assumed = options.PreconditioningOf(PreconditioningConfig.Discrete, DiscreteVpNoise.LinearName, scaleBetas: false);
        assumed = assumed.Kind == PreconditioningConfig.Discrete ? assumed with { TimeRounding = TimeRounding.Between } : assumed;
        return (assumed, ["There is no scheduler_config.json; what the options leave open is DiT's, over 1000 linear betas."]);
    }

    private static Description DiT(Dictionary<string, JsonElement> given, string path, int? asked)
    {
        var config = DiffusersConfigFile.From<DiTConfig>(given, path);
        bool isDiT = OtherNetworks.ClassOf(given) == "DiTTransformer2DModel";
        void Need(bool holds, string key, object? value, string known) => DiffusersConfigFile.Need(holds, path, key, value, known);
        string norm = config.NormType ?? (isDiT ? DiTConfig.Norm : "layer_norm");
        if (norm == "ada_norm_single")
            throw new InvalidInputException($"{path} describes a PixArt transformer ({norm}); read are {DiffusersPipeline.Read}.");
        Need(norm == DiTConfig.Norm, "norm_type", norm, DiTConfig.Norm);
        Need((config.ActivationFn ?? (isDiT ? DiTConfig.Activation : "geglu")) == DiTConfig.Activation, "activation_fn",
            config.ActivationFn, DiTConfig.Activation);
        Need(config.AttentionType == "default", "attention_type", config.AttentionType, "default");
        Need(!config.DoubleSelfAttention, "double_self_attention", true, "false");
        Need(!config.OnlyCrossAttention, "only_cross_attention", true, "false");
        Need(config.CrossAttentionDim is null, "cross_attention_dim", config.CrossAttentionDim, "null");
        Need(config.CaptionChannels is null, "caption_channels", config.CaptionChannels, "null");
        Need(config.NumVectorEmbeds is null, "num_vector_embeds", config.NumVectorEmbeds, "null");
        Need(config.UseAdditionalConditions is not true, "use_additional_conditions", true, "false");
        Need(config.NormElementwiseAffine is false || (isDiT && config.NormElementwiseAffine is null), "norm_elementwise_affine",
            config.NormElementwiseAffine, "false");
        int patch = config.PatchSize ?? (isDiT ? 2 : 0), channels = config.InChannels ?? (isDiT ? 4 : 0);
        Need(patch is >= 1 and <= 64, "patch_size", config.PatchSize, "1 to 64");
        int side = Side(path, config.SampleSize ?? (isDiT ? 32 : null), asked);
        return new(new DiTOptions
        {
            ImgResolution = side,
            InChannels = channels,
            OutChannels = config.OutChannels ?? channels,
            LabelDim = config.NumEmbedsAdaNorm ?? (isDiT ? 1000 : 0),
            PatchSize = patch,
            Layers = config.NumLayers ?? (isDiT ? 28 : 1),
            Heads = config.NumAttentionHeads ?? 16,
            ChannelsPerHead = config.AttentionHeadDim ?? (isDiT ? 72 : 88),
            NormEpsilon = config.NormEps,
            FrequencyEndpoint = true,
            AttentionBias = config.AttentionBias ?? isDiT,
            PositionScale = config.InterpolationScale ?? (isDiT ? 1 : Math.Max(side / 64, 1)),
        }, new ImageShape(channels, side, side));
    }

    private static Description SD3(Dictionary<string, JsonElement> given, string path, int? asked)
    {
        var config = DiffusersConfigFile.From<SD3Config>(given, path);
        DiffusersConfigFile.Need(config.QkNorm is null or "rms_norm", path, "qk_norm", config.QkNorm, "null or rms_norm");
        DiffusersConfigFile.Need((long)config.NumAttentionHeads * config.AttentionHeadDim == config.CaptionProjectionDim, path,
            "caption_projection_dim", config.CaptionProjectionDim, "num_attention_heads times attention_head_dim");
        int side = Side(path, config.SampleSize, asked);
        return new(new SD3TransformerOptions
        {
            ImgResolution = side,
            InChannels = config.InChannels,
            OutChannels = config.OutChannels ?? config.InChannels,
            PatchSize = config.PatchSize,
            Layers = config.NumLayers,
            Heads = config.NumAttentionHeads,
            ChannelsPerHead = config.AttentionHeadDim,
            ContextDim = config.JointAttentionDim,
            PooledDim = config.PooledProjectionDim,
            PositionTableSide = config.PosEmbedMaxSize,
            NormalisedHeads = config.QkNorm is not null,
            DualAttentionLayers = config.DualAttentionLayers ?? [],
        }, new ImageShape(config.InChannels, side, side))
        { IsFlow = true };
    }

    private static Description Flux(Dictionary<string, JsonElement> given, string path, int? asked)
    {
        const int patch = PatchOfFlows; // which the pipeline folds, not the network
        var config = DiffusersConfigFile.From<FluxConfig>(given, path);
        DiffusersConfigFile.Need(config.PatchSize == 1, path, "patch_size", config.PatchSize, "1");
        DiffusersConfigFile.Need(config.InChannels is > 0 and <= 4096 && config.InChannels % (patch * patch) == 0, path, "in_channels",
            config.InChannels, "a multiple of 4");
        DiffusersConfigFile.Need(config.OutChannels is null || config.OutChannels == config.InChannels, path, "out_channels",
            config.OutChannels, "null or in_channels");
        int side = Side(path, null, asked);
        return new(new FluxTransformerOptions
        {
            ImgResolution = side / patch,
            InChannels = config.InChannels,
            OutChannels = config.InChannels,
            Layers = config.NumLayers,
            SingleLayers = config.NumSingleLayers,
            Heads = config.NumAttentionHeads,
            ChannelsPerHead = config.AttentionHeadDim,
            ContextDim = config.JointAttentionDim,
            PooledDim = config.PooledProjectionDim,
            ToldGuidance = config.GuidanceEmbeds,
            AxesChannels = config.AxesDimsRope,
        }, new ImageShape(config.InChannels / (patch * patch), side, side))
        { IsFlow = true, Patch = patch };
    }

    private static int Side(string path, int? own, int? asked)
    {
        int side = asked ?? own ?? UsualSide;
        return side is >= 1 and <= 4096 ? side : throw new InvalidInputException($"{path}: sample_size is {side}; known is 1 to 4096.");
    }

    private sealed record Description(INetworkOptions Options, ImageShape Shape)
    {
        public bool IsFlow { get; init; }

        /// <summary>Side of the patches that are folded before the network.</summary>
        public int Patch { get; init; } = 1;
    }

    // The keys of Transformer2DModel and DiTTransformer2DModel, whose defaults differ; null is the class's own.
    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
    private sealed record DiTConfig
    {
        public const string Norm = "ada_norm_zero", Activation = "gelu-approximate";

        public int? SampleSize { get; init; }
        public int? InChannels { get; init; }
        public int? OutChannels { get; init; }
        public int? NumLayers { get; init; }
        public int? NumAttentionHeads { get; init; }
        public int? AttentionHeadDim { get; init; }
        public int? PatchSize { get; init; }
        public int? NumEmbedsAdaNorm { get; init; }
        public string? NormType { get; init; }
        public double NormEps { get; init; } = 1e-5;
        public bool? NormElementwiseAffine { get; init; }
        public string? ActivationFn { get; init; }
        public bool? AttentionBias { get; init; }
        public string AttentionType { get; init; } = "default";
        public bool DoubleSelfAttention { get; init; }
        public bool OnlyCrossAttention { get; init; }
        public int? CrossAttentionDim { get; init; }
        public int? CaptionChannels { get; init; }
        public int? NumVectorEmbeds { get; init; }
        public bool? UseAdditionalConditions { get; init; }
        public double? InterpolationScale { get; init; }

        // What such a network makes nothing of.
        public double? Dropout { get; init; }
        public int? NormNumGroups { get; init; }
        public bool? UpcastAttention { get; init; }
        public bool? UseLinearProjection { get; init; }
    }

    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
    private sealed record SD3Config
    {
        public int SampleSize { get; init; } = UsualSide;
        public int PatchSize { get; init; } = 2;
        public int InChannels { get; init; } = 16;
        public int? OutChannels { get; init; } = 16;
        public int NumLayers { get; init; } = 18;
        public int AttentionHeadDim { get; init; } = 64;
        public int NumAttentionHeads { get; init; } = 18;
        public int JointAttentionDim { get; init; } = 4096;
        public int CaptionProjectionDim { get; init; } = 1152;
        public int PooledProjectionDim { get; init; } = 2048;
        public int PosEmbedMaxSize { get; init; } = 96;
        public IReadOnlyList<int>? DualAttentionLayers { get; init; }
        public string? QkNorm { get; init; }
    }

    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
    private sealed record FluxConfig
    {
        public int PatchSize { get; init; } = 1;
        public int InChannels { get; init; } = 64;
        public int? OutChannels { get; init; }
        public int NumLayers { get; init; } = 19;
        public int NumSingleLayers { get; init; } = 38;
        public int AttentionHeadDim { get; init; } = 128;
        public int NumAttentionHeads { get; init; } = 24;
        public int JointAttentionDim { get; init; } = 4096;
        public int PooledProjectionDim { get; init; } = 768;
        public bool GuidanceEmbeds { get; init; }
        public IReadOnlyList<int> AxesDimsRope { get; init; } = [16, 56, 56];
    }
}
