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
    private const string Unet = "unet";
    private const string ConfigName = "config.json";
    private const double AdmEpsilon = 1e-5;
    private const int EdmGroups = 32;
    private const int ChannelsOfAllGroups = 128;

    private static readonly string[] WeightNames =
        ["diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.bin"];

    private static readonly string[] SchedulerNames = [Path.Combine("scheduler", "scheduler_config.json"), "scheduler_config.json"];

    /// <summary>Whether a folder has <c>unet/config.json</c>, <c>model_index.json</c>, or weights in diffusers' file names.</summary>
    public static bool IsOne(string folder) =>
        File.Exists(Path.Combine(folder, Unet, ConfigName)) || File.Exists(Path.Combine(folder, "model_index.json"))
            || WeightNames.Any(name => File.Exists(Path.Combine(folder, name)));

    /// <returns>The model; the caller owns its denoiser.</returns>
    public static ModelSource Read(string folder, ModelReadOptions options)
    {
        var (config, given, place, remark) = Describe(folder, options);
        string weights = WeightNames.Select(name => Path.Combine(place, name)).FirstOrDefault(File.Exists)
            ?? throw new InvalidInputException($"{place} has no weights: {string.Join(" or ", WeightNames)} is missing.");
        using var tensors = CheckpointFormats.KindOf(weights) == WeightsFileKind.TorchState ? TorchStateFile.Read(weights)
            : SafetensorsFile.Read(weights).Tensors;
        var network = (UNet)config.BuildNetwork();
        var map = DiffusersNames.Map(network, tensors, sineFirst: !given.FlipSinToCos);
        var denoiser = ForeignWeights.Build(config, network, map, tensors, weights);
        return new ModelSource(config, denoiser, "diffusers folder (UNet2DModel)", weights, remark is null ? [] : [remark]);
    }

    internal static (ModelConfig Config, DiffusersConfig Given, string Place, string? Remark) Describe(
        string folder, ModelReadOptions options)
    {
        string place = File.Exists(Path.Combine(folder, Unet, ConfigName)) ? Path.Combine(folder, Unet) : folder;
        string configPath = Path.Combine(place, ConfigName);
        var given = JsonFile.Read<DiffusersConfig>(configPath);
        given.Check(configPath);
        var blocks = DiffusersBlocks.Of(given, configPath);
        var (preconditioning, remark) = Preconditioning(folder, given, blocks, options);
        int side = given.Side(configPath, options.Resolution);
        var config = new ModelConfig
        {
            Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))),
            Shape = new ImageShape(given.InChannels, side, side),
            Classes = given.NumClassEmbeds ?? 0,
            Preconditioning = preconditioning,
            Network = blocks.ByResidualBlocks ? Adm(given, blocks, side, configPath) : Ddpm(given, blocks, side),
        };
        return (config, given, place, remark);
    }

    private static (PreconditioningConfig, string? Remark) Preconditioning(
        string folder, DiffusersConfig given, DiffusersBlocks blocks, ModelReadOptions options)
    {
        options.RefuseAllBut(folder, "a diffusers folder", nameof(options.Resolution), nameof(options.Preconditioning),
            nameof(options.Noise), nameof(options.TimeSteps), nameof(options.Prediction), nameof(options.SigmaData));
        if (SchedulerNames.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) is string file)
        {
            options.RefuseAllBut(folder, "a diffusers folder with a scheduler", nameof(options.Resolution));
            var read = DiffusersNoise.Read(file);
            return (read, read.Kind == PreconditioningConfig.Consistency ? "It is a consistency model: it jumps to the end of a trajectory "
                + "and does not denoise, so schedules searched with it mean little." : null);
        }

        return options.Preconditioning is null && blocks.ByResidualBlocks
            ? throw new InvalidInputException(
                $"{folder} has no {SchedulerNames[0]}, so nothing says how its network was trained. Give the preconditioning.")
            : (options.PreconditioningOf(PreconditioningConfig.Discrete, DiscreteVpNoise.LinearName, scaleBetas: false), "There is no "
                + $"scheduler_config.json; what the options leave open is diffusers' default, {given.ClassName} over 1000 linear betas.");
    }

    private static DhariwalUNetOptions Adm(DiffusersConfig given, DiffusersBlocks blocks, int side, string path)
    {
        int first = given.BlockOutChannels[0];
        if (first < 1 || given.BlockOutChannels.Any(c => c < first || c % first != 0))
        {
            throw new InvalidInputException($"{path}: block_out_channels are no multiples of the first; such a network with residual "
                + "blocks for resampling is not known here.");
        }

        if (given.NormEps != AdmEpsilon || given.FreqShift != 0)
        {
            throw new InvalidInputException(string.Create(CultureInfo.InvariantCulture, $"{path}: norm_eps {given.NormEps} and freq_shift "
                + $"{given.FreqShift}; known with residual blocks for resampling are {AdmEpsilon} and 0."));
        }

        return new DhariwalUNetOptions
        {
            ImgResolution = side,
            InChannels = given.InChannels,
            OutChannels = given.OutChannels,
            LabelDim = given.NumClassEmbeds ?? 0,
            ModelChannels = first,
            ChannelMult = [.. given.BlockOutChannels.Select(c => c / first)],
            NumBlocks = given.LayersPerBlock,
            AttnResolutions = [.. blocks.AttentionLevels.Select(level => side >> level)],
            ChannelsPerHead = given.AttentionHeadDim is null or 64 ? null : given.AttentionHeadDim,
            Heads = given.AttentionHeadDim is null ? 1 : null,
            NormGroups = given.NormNumGroups == EdmGroups && first >= ChannelsOfAllGroups ? null : given.NormNumGroups,
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
        NormGroups = given.NormNumGroups,
        NormEpsilon = given.NormEps,
        ScaleShift = given.ResnetTimeScaleShift == "scale_shift",
        SymmetricPadding = given.DownsamplePadding == 1,
        CosineFirst = given.FlipSinToCos,
        FrequencyEndpoint = given.FreqShift == 1,
        Dropout = given.Dropout,
    };
}
