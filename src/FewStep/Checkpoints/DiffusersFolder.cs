using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Reads folders of diffusers with an unconditional or class-conditional <c>UNet2DModel</c>: <c>unet/config.json</c> (or
/// <c>config.json</c>), its weights beside it, and <c>scheduler/scheduler_config.json</c>.</summary>
/// <remarks>
/// A network whose residual blocks change the resolution (ADM, as in openai/diffusers-cd_imagenet64_l2) becomes a
/// <see cref="DhariwalUNet"/>, one with convolutions for that (DDPM, as in google/ddpm-cifar10-32) a <see cref="DdpmUNet"/>.
/// </remarks>
internal static class DiffusersFolder
{
    private const string MiddleNorm = "mid_block.attentions.0.group_norm.weight";

    /// <summary>Whether a path is a folder of diffusers, or the weights in one in its place.</summary>
    public static bool IsOne(string path) => DiffusersPipeline.IsOne(path) || (DiffusersWeights.IsOne(path)
        && File.Exists(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, DiffusersPipeline.ConfigName)));

    /// <param name="path">Folder of the pipeline or of its network, or the file of the weights there.</param>
    /// <returns>The model; the caller owns its denoiser.</returns>
    public static ModelSource Read(string path, ModelReadOptions options)
    {
        bool isFile = File.Exists(path);
        var (config, given, place, remarks) = Describe(isFile ? Path.GetDirectoryName(Path.GetFullPath(path))! : path, options);
        if (isFile && options.Section is not null)
            throw new InvalidInputException($"{path} is one file of weights; leave the option for its section out, or give the folder.");
        var weights = isFile ? DiffusersWeights.At(path) : DiffusersWeights.Find(place, options.Section);
        using var tensors = weights.Read();
        if (given.MiddleGroups() == 0 && tensors.ContainsKey(MiddleNorm))
            config = config with { Network = WithMiddleNorm(config.Network) };
        var network = (UNet)config.BuildNetwork();
        var map = DiffusersNames.Map(network, tensors, sineFirst: !given.FlipSinToCos);
        var denoiser = ForeignWeights.Build(config, network, map, tensors, weights.Path);
        if (weights.Variant is string variant && !isFile && options.Section is null)
            remarks = [.. remarks, $"The weights are those of the variant {variant}."];
        return new ModelSource(config, denoiser, $"diffusers folder ({DiffusersConfig.Class})", weights.Path, remarks)
        { WeightsFiles = weights.Files };
    }

    internal static (ModelConfig Config, DiffusersConfig Given, string Place, IReadOnlyList<string> Remarks) Describe(
        string folder, ModelReadOptions options)
    {
        var pipeline = DiffusersPipeline.Find(folder);
        string configPath = pipeline.Config;
        var given = DiffusersConfig.Read(configPath);
        var blocks = DiffusersBlocks.Of(given, configPath);
        var (preconditioning, remarks) = Preconditioning(pipeline, blocks, options);
        int side = given.Side(configPath, options.Resolution);
        var config = new ModelConfig
        {
            Name = HubCache.NameOf(pipeline.Root),
            Shape = new ImageShape(given.InChannels, side, side),
            Classes = given.NumClassEmbeds ?? 0,
            Preconditioning = preconditioning,
            Network = blocks.ByResidualBlocks ? Adm(given, blocks, side, configPath) : Ddpm(given, blocks, side),
        };
        return (config, given, pipeline.Network, remarks);
    }

    private static (PreconditioningConfig, IReadOnlyList<string> Remarks) Preconditioning(
        DiffusersPipeline pipeline, DiffusersBlocks blocks, ModelReadOptions options)
    {
        options.RefuseAllBut(pipeline.Root, "a diffusers folder", nameof(options.Resolution), nameof(options.Preconditioning),
            nameof(options.Noise), nameof(options.TimeSteps), nameof(options.Prediction), nameof(options.SigmaData),
            nameof(options.Section));
        if (pipeline.Scheduler is string file)
        {
            options.RefuseAllBut(
                pipeline.Root, "a diffusers folder with a scheduler", nameof(options.Resolution), nameof(options.Section));
            return DiffusersNoise.Read(file);
        }

        if (options.Preconditioning is null && blocks.ByResidualBlocks)
        {
            throw new InvalidInputException($"{pipeline.Root} has no {DiffusersPipeline.SchedulerName}, so nothing says how its network "
                + "was trained. Give the preconditioning.");
        }

        var assumed = options.PreconditioningOf(PreconditioningConfig.Discrete, DiscreteVpNoise.LinearName, scaleBetas: false);
        assumed = assumed.Kind == PreconditioningConfig.Discrete ? assumed with { TimeRounding = TimeRounding.Between } : assumed;
        return (assumed, ["There is no scheduler_config.json; what the options leave open is diffusers' default, "
            + "over 1000 linear betas."]);
    }

    // Versions before attn_norm_num_groups had that norm always: the weights tell.
    private static INetworkOptions WithMiddleNorm(INetworkOptions network) => network is DhariwalUNetOptions adm
        ? adm with { MiddleAttentionGroups = null } : (DdpmUNetOptions)network with { MiddleAttentionGroups = null };

    private static DhariwalUNetOptions Adm(DiffusersConfig given, DiffusersBlocks blocks, int side, string path)
    {
        int first = given.BlockOutChannels[0];
        if (first < 1 || given.BlockOutChannels.Any(c => c < first || c % first != 0))
        {
            throw new InvalidInputException($"{path}: block_out_channels are no multiples of the first; such a network with residual "
                + "blocks for resampling is not known here.");
        }

        int embedding = given.TimeEmbeddingDim ?? first * 4;
        if (embedding % first != 0)
        {
            throw new InvalidInputException($"{path}: time_embedding_dim is {embedding}; known with residual blocks for resampling are "
                + $"multiples of the first channels, {first}.");
        }

        if (given.NormEps != DiffusersConfig.AdmEpsilon || given.FreqShift != 0)
        {
            throw new InvalidInputException(string.Create(CultureInfo.InvariantCulture, $"{path}: norm_eps {given.NormEps} and freq_shift "
                + $"{given.FreqShift}; known with residual blocks for resampling are {DiffusersConfig.AdmEpsilon} and 0."));
        }

        return new DhariwalUNetOptions
        {
            ImgResolution = side,
            InChannels = given.InChannels,
            OutChannels = given.OutChannels,
            LabelDim = given.NumClassEmbeds ?? 0,
            ModelChannels = first,
            ChannelMultEmb = embedding / first,
            ChannelMult = [.. given.BlockOutChannels.Select(c => c / first)],
            NumBlocks = given.LayersPerBlock,
            AttnResolutions = [.. blocks.AttentionLevels.Select(level => side >> level)],
            ChannelsPerHead = given.AttentionHeadDim is null or DiffusersConfig.AdmHeadChannels ? null : given.AttentionHeadDim,
            Heads = given.AttentionHeadDim is null ? 1 : null,
            HasMiddle = given.MidBlockType is null ? false : null,
            MiddleAttends = given.AddAttention ? null : false,
            MiddleAttentionGroups = given.MiddleGroups(),
            NormGroups = given.NormNumGroups == DiffusersConfig.AdmGroups && first >= DiffusersConfig.ChannelsOfAllGroups
                ? null : given.NormNumGroups,
            ScaleShift = given.ResnetTimeScaleShift == "scale_shift" ? null : false,
            Dropout = given.Dropout,
        };
    }

    private static DdpmUNetOptions Ddpm(DiffusersConfig given, DiffusersBlocks blocks, int side) => new()
    {
        ImgResolution = side,
        InChannels = given.InChannels,
        OutChannels = given.OutChannels,
        LabelDim = given.NumClassEmbeds ?? 0,
        BlockChannels = given.BlockOutChannels,
        NumBlocks = given.LayersPerBlock,
        AttnResolutions = [.. blocks.AttentionLevels.Select(level => side >> level)],
        ChannelsPerHead = given.AttentionHeadDim,
        HasMiddle = given.MidBlockType is null ? false : null,
        MiddleAttends = given.AddAttention ? null : false,
        MiddleAttentionGroups = given.MiddleGroups(),
        EmbeddingChannels = given.TimeEmbeddingDim,
        NormGroups = given.NormNumGroups,
        NormEpsilon = given.NormEps,
        ScaleShift = given.ResnetTimeScaleShift == "scale_shift",
        SymmetricPadding = given.DownsamplePadding == 1,
        CosineFirst = given.FlipSinToCos,
        FrequencyEndpoint = given.FreqShift == 1,
        Dropout = given.Dropout,
    };
}
