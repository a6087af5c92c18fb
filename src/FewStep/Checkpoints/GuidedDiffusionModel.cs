using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Reads state dictionaries in the names of openai/guided-diffusion: files of <c>torch.save</c>, and safetensors.</summary>
internal static class GuidedDiffusionModel
{
    private const int UsualSide = 64;
    private const int UsualChannelsPerHead = 64;
    private const int UsualHeads = 4; // of improved-diffusion
    private const int UsualTimesOfImproved = 4000;

    // Released networks that their shapes give away (READMEs of openai/guided-diffusion and openai/improved-diffusion).
    private static readonly Released[] Known =
    [
        new(192, [1, 2, 3, 4], 64, null, DiscreteVpNoise.CosineName) { Order = AttentionOrder.New },
        new(256, [1, 1, 2, 3, 4], 128, 4, DiscreteVpNoise.LinearName),
        new(256, [1, 1, 2, 2, 4, 4], 256, null, DiscreteVpNoise.LinearName),
        new(128, [1, 2, 2, 2], 32, UsualHeads, DiscreteVpNoise.CosineName) { ByConvolutions = true, TimeSteps = UsualTimesOfImproved },
        new(128, [1, 2, 3, 4], 64, UsualHeads, DiscreteVpNoise.CosineName) { ByConvolutions = true, TimeSteps = UsualTimesOfImproved },
        new(128, [1, 1, 2, 2, 4, 4], 256, 1, DiscreteVpNoise.LinearName) { ByConvolutions = true },
    ];

    private static readonly Released Unknown = new(0, [], UsualSide, null, DiscreteVpNoise.CosineName);
    private static readonly Released UnknownImproved = Unknown with { Heads = UsualHeads, TimeSteps = UsualTimesOfImproved };

    /// <returns>The model; the caller owns its denoiser.</returns>
    public static ModelSource Read(string path, StateDictionary read, ModelReadOptions options)
    {
        if (!read.Metadata.TryGetValue(GuidedDiffusionNames.ConfigKey, out string? text))
            return Infer(path, read.Tensors, options, read.Remarks);
        options.RefuseAllBut(path, "an export of this program");
        return Restore(path, read.Tensors, text, read.Metadata.GetValueOrDefault(GuidedDiffusionNames.OrderKey));
    }

    private static ModelSource Restore(string path, Dictionary<string, Tensor> tensors, string text, string? order)
    {
        ModelConfig config;
        try
        {
            config = JsonSerializer.Deserialize<ModelConfig>(text, JsonFile.Options)
                ?? throw new InvalidInputException($"{path}: its {GuidedDiffusionNames.ConfigKey} is null.");
        }
        catch (JsonException e)
        {
            throw new InvalidInputException($"{path}: its {GuidedDiffusionNames.ConfigKey} is not valid: {JsonProblem.Describe(e)}.", e);
        }

        return config.Network is DhariwalUNetOptions network && order is "new" or "legacy"
            ? Build(path, config with { Network = network with { AugmentDim = 0 } }, tensors,
                order == "new" ? AttentionOrder.New : AttentionOrder.Legacy, [])
            : throw new InvalidInputException(
                $"{path}: its metadata do not describe an ADM network (dhariwal_unet) and the order of its attention (new or legacy).");
    }

    private static ModelSource Infer(
        string path, Dictionary<string, Tensor> tensors, ModelReadOptions options, IReadOnlyList<string> remarks)
    {
        var found = new GuidedDiffusionArchitecture(tensors, path);
        var known = Array.Find(Known, r => r.Channels == found.ModelChannels && r.Multipliers.SequenceEqual(found.Multipliers)
            && r.ByConvolutions == found.ByConvolutions) ?? (found.ByConvolutions ? UnknownImproved : Unknown);
        int channels = ImageChannels(path, found);
        int side = options.Resolution ?? known.Side;
        int? heads = options.Heads ?? (options.ChannelsPerHead is null ? known.Heads : null);
        int perHead = options.ChannelsPerHead ?? UsualChannelsPerHead;
        var order = options.AttentionOrder ?? (found.IsConsistencyModels ? AttentionOrder.New : known.Order);
        CheckHeads(path, found.AttentionChannels, heads, perHead);
        if (options.HeadsUpsample is { } upsample)
        {
            if (heads is null)
                throw new InvalidInputException($"{path}: the number of heads after the middle is given, but not that before; give both.");
            CheckHeads(path, found.AttentionLevels.Select(level => found.ModelChannels * found.Multipliers[level]), upsample, perHead);
        }

        var preconditioning = options.PreconditioningOf(
            found.IsConsistencyModels ? PreconditioningConfig.Edm : PreconditioningConfig.Discrete, known.Noise, scaleBetas: true,
            known.TimeSteps, rescaleTimes: known.TimeSteps != DiscreteVpNoise.UsualTimes);
        var config = new ModelConfig
        {
            Name = Path.GetFileNameWithoutExtension(path),
            Shape = new ImageShape(channels, side, side),
            Classes = found.Classes,
            Preconditioning = preconditioning,
            Network = found.ByConvolutions ? Ddpm(found, side, heads, perHead, options.HeadsUpsample)
                : Adm(found, side, heads, perHead, options.HeadsUpsample),
        };
        return Build(path, config, tensors, order, [.. remarks, .. Remarks(options, found, config, order, known, heads)]);
    }

    private static DhariwalUNetOptions Adm(
        GuidedDiffusionArchitecture found, int side, int? heads, int perHead, int? headsUpsample) => new()
        {
            ImgResolution = side,
            InChannels = found.InChannels,
            OutChannels = found.OutChannels,
            LabelDim = found.Classes,
            ModelChannels = found.ModelChannels,
            ChannelMult = found.Multipliers,
            ChannelMultEmb = found.EmbeddingMultiplier,
            NumBlocks = found.Blocks,
            AttnResolutions = [.. found.AttentionLevels.Select(level => side >> level)],
            ChannelsPerHead = heads is null && perHead != UsualChannelsPerHead ? perHead : null,
            Heads = heads,
            HeadsUpsample = headsUpsample,
            NormGroups = found.NormGroups,
            ScaleShift = found.ScaleShift ? null : false,
        };

    private static DdpmUNetOptions Ddpm(
        GuidedDiffusionArchitecture found, int side, int? heads, int perHead, int? headsUpsample) => new()
        {
            ImgResolution = side,
            InChannels = found.InChannels,
            OutChannels = found.OutChannels,
            LabelDim = found.Classes,
            BlockChannels = [.. found.Multipliers.Select(multiplier => found.ModelChannels * multiplier)],
            NumBlocks = found.Blocks,
            AttnResolutions = [.. found.AttentionLevels.Select(level => side >> level)],
            ChannelsPerHead = heads is null ? perHead : null,
            Heads = heads,
            HeadsUpsample = headsUpsample,
            EmbeddingChannels = found.EmbeddingMultiplier == 4 ? null : found.ModelChannels * found.EmbeddingMultiplier,
            NormEpsilon = 1e-5,
            ScaleShift = found.ScaleShift,
            SymmetricPadding = true,
            CosineFirst = true,
            FrequencyEndpoint = false,
        };

    private static int ImageChannels(string path, GuidedDiffusionArchitecture found)
    {
        if (found.OutChannels != found.InChannels && found.OutChannels != 2 * found.InChannels)
        {
            throw new InvalidInputException($"{path}: 'out.2.weight' makes {found.OutChannels} channels from {found.InChannels}; a "
                + "denoiser makes as many, or twice as many with a learnt variance.");
        }

        return found.InChannels == 6
            ? throw new InvalidInputException(
                $"{path}: 'input_blocks.0.0.weight' takes 6 channels: an upsampler, which needs a second image, is not known here.")
            : found.InChannels;
    }

    private static void CheckHeads(string path, IEnumerable<int> attention, int? heads, int perHead)
    {
        foreach (int channels in attention)
        {
            if (heads is { } number ? number < 1 || channels % number != 0 : perHead < 1 || channels % perHead != 0)
            {
                throw new InvalidInputException($"{path}: attention over {channels} channels does not divide into "
                    + $"{(heads is null ? $"heads of {perHead} channels" : $"{heads} heads")}. Give the channels of a head or the number "
                    + "of heads.");
            }
        }
    }

    private static IEnumerable<string> Remarks(ModelReadOptions options, GuidedDiffusionArchitecture found, ModelConfig config,
        AttentionOrder order, Released known, int? heads)
    {
        string source = known.Channels > 0 ? "of the released network with these shapes" : "the default";
        if (options.Resolution is null)
            yield return $"The image side {config.Shape.Height} is {source}.";
        if (options.ChannelsPerHead is null && options.Heads is null)
        {
            string width = heads is { } number ? $"equal width, {number} a layer," : $"{UsualChannelsPerHead} channels";
            yield return $"Attention heads of {width} are {source}.";
        }

        if (heads is not null && options.HeadsUpsample is null)
            yield return "After the middle the number of heads is the same; guided-diffusion's num_heads_upsample is not in the file.";
        if (options.AttentionOrder is null)
        {
            yield return $"The {(order == AttentionOrder.New ? "new" : "legacy")} order of attention is "
                + $"{(found.IsConsistencyModels ? "openai/consistency_models', whose shape it has" : source)}.";
        }

        if (options.Preconditioning is null)
        {
            yield return $"Preconditioning '{config.Preconditioning.Kind}' is that "
                + $"of {(found.IsConsistencyModels ? "openai/consistency_models' edm_* files; its cd_* and ct_* files need 'consistency'"
                    : found.ByConvolutions ? "openai/improved-diffusion" : "openai/guided-diffusion")}.";
        }

        if (config.Preconditioning.Noise is not { } noise)
            yield break;
        if (options.Noise is null || options.TimeSteps is null)
            yield return $"The noise {noise} of {config.Preconditioning.TimeSteps} time steps is {source}.";
        if (options.RescaledTimes is null && config.Preconditioning.TimeScale is not null)
            yield return $"Times rescaled to 0 to {DiscreteVpNoise.UsualTimes} are openai/improved-diffusion's default.";
        yield return "Between two levels the network is told the time of the nearest, as NVlabs/edm does; diffusers interpolates it.";
    }

    private static ModelSource Build(
        string path, ModelConfig config, Dictionary<string, Tensor> tensors, AttentionOrder order, IReadOnlyList<string> remarks)
    {
        var network = (UNet)config.BuildNetwork();
        var denoiser = ForeignWeights.Build(config, network, GuidedDiffusionNames.Map(network, order), tensors, path);
        return new ModelSource(config, denoiser, "state dictionary in the names of openai/guided-diffusion", path, remarks);
    }

    // Base channels, multipliers, side, heads (null: 64 channels each) and noise of a released network.
    private sealed record Released(int Channels, int[] Multipliers, int Side, int? Heads, string Noise)
    {
        public bool ByConvolutions { get; init; }
        public int TimeSteps { get; init; } = DiscreteVpNoise.UsualTimes;
        public AttentionOrder Order { get; init; }
    }
}
