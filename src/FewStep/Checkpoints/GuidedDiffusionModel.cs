using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Reads state dictionaries in the names of openai/guided-diffusion: files of <c>torch.save</c>, and safetensors.</summary>
internal static class GuidedDiffusionModel
{
    private const string ParallelPrefix = "module.";
    private const int UsualSide = 64;
    private const int UsualChannelsPerHead = 64;

    // Released networks that their shapes give away: base channels, multipliers, side, heads (null: 64 channels each), noise, attention
    // (README of openai/guided-diffusion).
    private static readonly (int Channels, int[] Multipliers, int Side, int? Heads, string Noise, AttentionOrder Order)[] Released =
    [
        (192, [1, 2, 3, 4], 64, null, DiscreteVpNoise.CosineName, AttentionOrder.New),
        (256, [1, 1, 2, 3, 4], 128, 4, DiscreteVpNoise.LinearName, AttentionOrder.Legacy),
        (256, [1, 1, 2, 2, 4, 4], 256, null, DiscreteVpNoise.LinearName, AttentionOrder.Legacy),
    ];

    /// <returns>The model; the caller owns its denoiser.</returns>
    public static ModelSource Read(string path, ModelReadOptions options)
    {
        bool safe = CheckpointFormats.KindOf(path) == WeightsFileKind.Safetensors;
        var (read, metadata) = safe ? SafetensorsFile.Read(path) : (TorchStateFile.Read(path, options.Section), []);
        using var owned = read;
        var tensors = read.Keys.All(name => name.StartsWith(ParallelPrefix, StringComparison.Ordinal))
            ? read.ToDictionary(t => t.Key[ParallelPrefix.Length..], t => t.Value, StringComparer.Ordinal) : read;
        if (!metadata.TryGetValue(GuidedDiffusionNames.ConfigKey, out string? text))
            return Infer(path, tensors, options);
        options.RefuseAllBut(path, "an export of this program");
        return Restore(path, tensors, text, metadata.GetValueOrDefault(GuidedDiffusionNames.OrderKey));
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

    private static ModelSource Infer(string path, Dictionary<string, Tensor> tensors, ModelReadOptions options)
    {
        var found = new GuidedDiffusionArchitecture(tensors, path);
        var known = Released.FirstOrDefault(r => r.Channels == found.ModelChannels && r.Multipliers.SequenceEqual(found.Multipliers));
        bool released = known.Side > 0;
        int channels = ImageChannels(path, found);
        int side = options.Resolution ?? (released ? known.Side : UsualSide);
        int? heads = options.Heads ?? (options.ChannelsPerHead is null ? known.Heads : null);
        int perHead = options.ChannelsPerHead ?? UsualChannelsPerHead;
        var order = options.AttentionOrder ?? (found.IsConsistencyModels ? AttentionOrder.New : known.Order);
        CheckHeads(path, found, heads, perHead);
        var preconditioning = options.PreconditioningOf(
            found.IsConsistencyModels ? PreconditioningConfig.Edm : PreconditioningConfig.Discrete,
            released ? known.Noise : DiscreteVpNoise.CosineName, scaleBetas: true);
        var network = new DhariwalUNetOptions
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
            NormGroups = found.NormGroups,
            ScaleShift = found.ScaleShift ? null : false,
        };
        var config = new ModelConfig
        {
            Name = Path.GetFileNameWithoutExtension(path),
            Shape = new ImageShape(channels, side, side),
            Classes = found.Classes,
            Preconditioning = preconditioning,
            Network = network,
        };
        return Build(path, config, tensors, order, [.. Remarks(options, found, config, order, released)]);
    }

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

    private static void CheckHeads(string path, GuidedDiffusionArchitecture found, int? heads, int perHead)
    {
        foreach (int channels in found.AttentionChannels)
        {
            if (heads is { } number ? number < 1 || channels % number != 0 : perHead < 1 || channels % perHead != 0)
            {
                throw new InvalidInputException($"{path}: attention over {channels} channels does not divide into "
                    + $"{(heads is null ? $"heads of {perHead} channels" : $"{heads} heads")}. Give the channels of a head or the number "
                    + "of heads.");
            }
        }
    }

    private static IEnumerable<string> Remarks(
        ModelReadOptions options, GuidedDiffusionArchitecture found, ModelConfig config, AttentionOrder order, bool released)
    {
        string source = released ? "of the released network with these shapes" : "the default";
        if (options.Resolution is null)
            yield return $"The image side {config.Shape.Height} is {source}.";
        if (options.ChannelsPerHead is null && options.Heads is null)
        {
            yield return "Attention "
                + $"heads of {(((DhariwalUNetOptions)config.Network).Heads is { } heads ? $"equal width, {heads} a layer, are"
                    : $"{UsualChannelsPerHead} channels are")} {source}.";
        }

        if (options.AttentionOrder is null)
        {
            yield return $"The {(order == AttentionOrder.New ? "new" : "legacy")} order of attention is "
                + $"{(found.IsConsistencyModels ? "openai/consistency_models', whose shape it has" : source)}.";
        }

        if (options.Preconditioning is null)
        {
            yield return $"Preconditioning '{config.Preconditioning.Kind}' is that "
                + $"of {(found.IsConsistencyModels ? "openai/consistency_models' edm_* files; its cd_* and ct_* files need 'consistency'"
                    : "openai/guided-diffusion")}.";
        }

        if (options.Noise is null && config.Preconditioning.Noise is { } noise)
            yield return $"The noise {noise} of {config.Preconditioning.TimeSteps} time steps is {source}.";
    }

    private static ModelSource Build(
        string path, ModelConfig config, Dictionary<string, Tensor> tensors, AttentionOrder order, IReadOnlyList<string> remarks)
    {
        var network = (DhariwalUNet)config.BuildNetwork();
        var denoiser = ForeignWeights.Build(config, network, GuidedDiffusionNames.Map(network, order), tensors, path);
        return new ModelSource(config, denoiser, "state dictionary in the names of openai/guided-diffusion", path, remarks);
    }
}
