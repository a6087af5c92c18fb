namespace FewStep.Checkpoints;

/// <summary>The <c>config.json</c> of a diffusers <c>UNet2DModel</c>, with the defaults of diffusers. A key that is not here is refused
/// with its value, for it could change what the network computes; but for null, which is every later argument's default, and what training
/// leaves there.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record DiffusersConfig
{
    /// <summary>The class that is read.</summary>
    public const string Class = "UNet2DModel";

    /// <summary>What an ADM network that says nothing has: channels of a head; groups of the normalisation, where a level has at least so
    /// many channels; its epsilon.</summary>
    public const int AdmHeadChannels = 64, AdmGroups = 32, ChannelsOfAllGroups = 128;

    /// <inheritdoc cref="AdmHeadChannels"/>
    public const double AdmEpsilon = 1e-5;

    private const int DefaultHeadChannels = 8;
    private const string MiddleBlock = "UNetMidBlock2D";

    public JsonElement SampleSize { get; init; }
    public int InChannels { get; init; } = 3;
    public int OutChannels { get; init; } = 3;
    public bool CenterInputSample { get; init; }
    public string TimeEmbeddingType { get; init; } = "positional";

    /// <summary>Size of the time's embedding; null is four times the first channels.</summary>
    public int? TimeEmbeddingDim { get; init; }

    public double FreqShift { get; init; }
    public bool FlipSinToCos { get; init; } = true;
    public IReadOnlyList<string> DownBlockTypes { get; init; } = ["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"];

    /// <summary>Null is a network without blocks in the middle.</summary>
    public string? MidBlockType { get; init; } = MiddleBlock;

    public IReadOnlyList<string> UpBlockTypes { get; init; } = ["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"];
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [224, 448, 672, 896];
    public int LayersPerBlock { get; init; } = 2;
    public double MidBlockScaleFactor { get; init; } = 1;
    public int DownsamplePadding { get; init; } = 1;
    public string DownsampleType { get; init; } = "conv";
    public string UpsampleType { get; init; } = "conv";
    public double Dropout { get; init; }
    public string ActFn { get; init; } = "silu";
    public bool? AttentionLegacyOrder { get; init; }

    /// <summary>Channels of a head; null is one head of all channels.</summary>
    public int? AttentionHeadDim { get; init; } = DefaultHeadChannels;

    public int NormNumGroups { get; init; } = 32;
    public int? AttnNormNumGroups { get; init; }
    public double NormEps { get; init; } = 1e-5;
    public string ResnetTimeScaleShift { get; init; } = "default";
    public bool AddAttention { get; init; } = true;
    public string? ClassEmbedType { get; init; }
    public int? NumClassEmbeds { get; init; }
    public int? NumTrainTimesteps { get; init; }

    /// <summary>Groups of the normalisation before the middle's attention as network options have it: 0 for none, null for those of
    /// every normalisation.</summary>
    public int? MiddleGroups() => AttnNormNumGroups is { } groups ? (groups == NormNumGroups ? null : groups)
        : ResnetTimeScaleShift == "default" || MidBlockType is null || !AddAttention ? null : 0;

    public static DiffusersConfig Read(string path)
    {
        var given = JsonFile.ReadPython(path);
        string name = OtherNetworks.ClassOf(given)
            ?? throw new InvalidInputException($"{path}: _class_name is missing; known is {Class}.");
        if (name != Class)
            throw new InvalidInputException($"{path} describes {OtherNetworks.OfClass(name)}; read are {DiffusersPipeline.Read}.");
        return DiffusersConfigFile.From<DiffusersConfig>(given, path).Checked(path);
    }

    /// <summary>Height and width of the images, equal.</summary>
    public int Side(string path, int? given)
    {
        int? own = DiffusersConfigFile.Side(path, SampleSize);
        return own is not null && given is not null && own != given
            ? throw new InvalidInputException($"{path}: sample_size is {own}, the option says {given}; leave the option out.")
            : own ?? given ?? throw new InvalidInputException($"{path}: sample_size is missing. Give the resolution of the images.");
    }

    private DiffusersConfig Checked(string path)
    {
        void Need(bool holds, string key, object? value, string known) => DiffusersConfigFile.Need(holds, path, key, value, known);
        Need(!CenterInputSample, "center_input_sample", CenterInputSample, "false");
        Need(TimeEmbeddingType == "positional", "time_embedding_type", TimeEmbeddingType, "positional");
        Need(FreqShift is 0 or 1, "freq_shift", FreqShift, "0 or 1");
        Need(MidBlockType is null or MiddleBlock, "mid_block_type", MidBlockType, $"{MiddleBlock} or null");
        Need(MidBlockScaleFactor == 1, "mid_block_scale_factor", MidBlockScaleFactor, "1");
        Need(DownsamplePadding is 0 or 1, "downsample_padding", DownsamplePadding, "0 or 1");
        Need(DownsampleType is "conv" or "resnet", "downsample_type", DownsampleType, "conv or resnet");
        Need(UpsampleType is "conv" or "resnet", "upsample_type", UpsampleType, "conv or resnet");
        Need(ActFn is "silu" or "swish", "act_fn", ActFn, "silu");
        Need(AttentionLegacyOrder is not true, "attention_legacy_order", AttentionLegacyOrder, "false");
        Need(ResnetTimeScaleShift is "default" or "scale_shift", "resnet_time_scale_shift", ResnetTimeScaleShift, "default or scale_shift");
        Need(AttnNormNumGroups is null or > 0, "attn_norm_num_groups", AttnNormNumGroups, "null or above 0");
        Need(TimeEmbeddingDim is null or > 0, "time_embedding_dim", TimeEmbeddingDim, "null or above 0");
        Need(ClassEmbedType is null, "class_embed_type", ClassEmbedType, "null");
        Need(BlockOutChannels.Count is >= 1 and <= 12, "block_out_channels", BlockOutChannels.Count, "1 to 12 numbers");
        Need(DownBlockTypes.Count == BlockOutChannels.Count, "down_block_types", DownBlockTypes.Count, "as many as block_out_channels");
        Need(UpBlockTypes.Count == BlockOutChannels.Count, "up_block_types", UpBlockTypes.Count, "as many as block_out_channels");
        Need(AttentionHeadDim is null or > 0, "attention_head_dim", AttentionHeadDim, "null or above 0");
        return this;
    }
}

/// <summary>What the block types of a diffusers U-Net amount to.</summary>
internal sealed record DiffusersBlocks(bool ByResidualBlocks, IReadOnlyList<int> AttentionLevels)
{
    public static DiffusersBlocks Of(DiffusersConfig config, string path)
    {
        int levels = config.BlockOutChannels.Count;
        var down = config.DownBlockTypes.Select(type => Parse("down_block_types", type, config.DownsampleType, path)).ToList();
        var up = config.UpBlockTypes.Reverse().Select(type => Parse("up_block_types", type, config.UpsampleType, path)).ToList();
        for (int level = 0; level < levels; level++)
        {
            if (down[level].Attention != up[level].Attention)
            {
                throw new InvalidInputException(
                    $"{path}: down_block_types and up_block_types differ in the attention of {config.BlockOutChannels[level]} channels "
                        + $"(level {level + 1} of {levels}); known are networks with the same in both.");
            }
        }

        // The last level down and the first one (up) change no resolution.
        List<bool> changes =
            [.. down.Take(levels - 1).Select(b => b.Residual), .. up.Take(levels - 1 == 0 ? 0 : levels).Skip(1).Select(b => b.Residual)];
        return changes.Distinct().Count() > 1
            ? throw new InvalidInputException($"{path}: down_block_types, up_block_types, downsample_type and upsample_type mix residual "
                + "blocks and convolutions; known are networks with one of them throughout.")
            : new DiffusersBlocks(changes.FirstOrDefault(), [.. Enumerable.Range(0, levels).Where(level => down[level].Attention)]);
    }

    private static (bool Attention, bool Residual) Parse(string key, string? type, string resampling, string path) => type switch
    {
        "DownBlock2D" or "UpBlock2D" => (false, false),
        "AttnDownBlock2D" or "AttnUpBlock2D" => (true, resampling == "resnet"),
        "ResnetDownsampleBlock2D" or "ResnetUpsampleBlock2D" => (false, true),
        "AttnDownsampleBlock2D" or "AttnUpsampleBlock2D" => (true, true),
        _ => throw new InvalidInputException($"{path}: {key} names {Printable.Text(type ?? "null")}; known are DownBlock2D, "
            + "AttnDownBlock2D, ResnetDownsampleBlock2D and their counterparts up."),
    };
}
