using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>The <c>config.json</c> of a diffusers <c>UNet2DConditionModel</c>, with the defaults of diffusers.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ConditionUNetConfig
{
    /// <summary>The class that is read.</summary>
    public const string Class = "UNet2DConditionModel";

    /// <summary>Side of the latents where <c>sample_size</c> is missing: Stable Diffusion 1's.</summary>
    public const int UsualSide = 64;

    private const string MiddleBlock = "UNetMidBlock2DCrossAttn", TextAndTime = "text_time";

    // Of training, of the number format, and of ways to embed that are refused.
    private static readonly string[] WithoutEffect = ["dropout", "upcast_attention", "addition_embed_type_num_heads"];

    public JsonElement SampleSize { get; init; }
    public int InChannels { get; init; } = 4;
    public int OutChannels { get; init; } = 4;
    public bool CenterInputSample { get; init; }
    public bool FlipSinToCos { get; init; } = true;
    public double FreqShift { get; init; }

    public IReadOnlyList<string> DownBlockTypes { get; init; } =
        ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"];

    /// <summary>Null is a network without blocks in the middle.</summary>
    public string? MidBlockType { get; init; } = MiddleBlock;

    public IReadOnlyList<string> UpBlockTypes { get; init; } =
        ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"];

    public JsonElement OnlyCrossAttention { get; init; }
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [320, 640, 1280, 1280];
    public JsonElement LayersPerBlock { get; init; }
    public int DownsamplePadding { get; init; } = 1;
    public double MidBlockScaleFactor { get; init; } = 1;
    public string ActFn { get; init; } = "silu";
    public int NormNumGroups { get; init; } = 32;
    public double NormEps { get; init; } = 1e-5;
    public JsonElement CrossAttentionDim { get; init; }
    public JsonElement TransformerLayersPerBlock { get; init; }
    public JsonElement ReverseTransformerLayersPerBlock { get; init; }

    /// <summary>The number of heads, whatever its name says.</summary>
    public JsonElement AttentionHeadDim { get; init; }

    public bool DualCrossAttention { get; init; }
    public bool UseLinearProjection { get; init; }
    public string? AdditionEmbedType { get; init; }
    public int? AdditionTimeEmbedDim { get; init; }
    public string ResnetTimeScaleShift { get; init; } = "default";
    public bool ResnetSkipTimeAct { get; init; }
    public double ResnetOutScaleFactor { get; init; } = 1;
    public string TimeEmbeddingType { get; init; } = "positional";
    public int? TimeEmbeddingDim { get; init; }
    public int? TimeCondProjDim { get; init; }
    public int ConvInKernel { get; init; } = 3;
    public int ConvOutKernel { get; init; } = 3;
    public int? ProjectionClassEmbeddingsInputDim { get; init; }
    public string AttentionType { get; init; } = "default";
    public bool ClassEmbeddingsConcat { get; init; }
    public bool? MidBlockOnlyCrossAttention { get; init; }

    /// <summary>Reads a configuration as a network's options.</summary>
    public static ConditionUNetOptions Read(string path)
    {
        var config = DiffusersConfigFile.Read<ConditionUNetConfig>(path, Class, WithoutEffect);
        config.Check(path);
        return config.Options(path).Checked();
    }

    private ConditionUNetOptions Options(string path)
    {
        int levels = BlockOutChannels.Count;
        IReadOnlyList<int> Each(string key, JsonElement value, int absent)
            => DiffusersConfigFile.EachLevel(path, key, value, absent, levels);
        int Same(string key, JsonElement value, int absent)
        {
            var each = Each(key, value, absent);
            DiffusersConfigFile.Need(each.Distinct().Count() == 1, path, key, value, "the same number for all levels");
            return each[0];
        }

        var depths = Each("transformer_layers_per_block", TransformerLayersPerBlock, absent: 1);
        bool reversed = ReverseTransformerLayersPerBlock.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);
        var depthsUp = !reversed ? depths
            : [.. Each("reverse_transformer_layers_per_block", ReverseTransformerLayersPerBlock, absent: 1).Reverse()];
        string[] up = [.. UpBlockTypes.Reverse()];
        return new ConditionUNetOptions
        {
            ImgResolution = DiffusersConfigFile.Side(path, SampleSize) ?? UsualSide,
            InChannels = InChannels,
            OutChannels = OutChannels,
            BlockChannels = BlockOutChannels,
            NumBlocks = Same("layers_per_block", LayersPerBlock, absent: 2),
            DownTransformers = [.. DownBlockTypes.Select((type, level) =>
                Attends(path, "down_block_types", type, "CrossAttnDownBlock2D", "DownBlock2D") ? depths[level] : 0)],
            UpTransformers = [.. up.Select((type, level) =>
                Attends(path, "up_block_types", type, "CrossAttnUpBlock2D", "UpBlock2D") ? depthsUp[level] : 0)],
            MiddleTransformer = MidBlockType is null ? null : depths[^1],
            Heads = Each("attention_head_dim", AttentionHeadDim, absent: 8),
            ContextChannels = Same("cross_attention_dim", CrossAttentionDim, absent: 1280),
            EmbeddingChannels = TimeEmbeddingDim,
            GuidanceChannels = TimeCondProjDim,
            AddedChannels = AdditionEmbedType is null ? null : ProjectionClassEmbeddingsInputDim,
            SizeChannels = AdditionEmbedType is null ? null : AdditionTimeEmbedDim,
            NormGroups = NormNumGroups,
            NormEpsilon = NormEps,
            LinearProjections = UseLinearProjection,
            SymmetricPadding = DownsamplePadding == 1,
            CosineFirst = FlipSinToCos,
            FrequencyEndpoint = FreqShift == 1,
        };
    }

    private static bool Attends(string path, string key, string? type, string with, string without)
    {
        DiffusersConfigFile.Need(type == with || type == without, path, key, type ?? "null", $"{with} and {without}");
        return type == with;
    }

    private void Check(string path)
    {
        void Need(bool holds, string key, object? value, string known) => DiffusersConfigFile.Need(holds, path, key, value, known);
        Need(InChannels == OutChannels, "in_channels", InChannels, InvariantText.Of(
            $"as many as out_channels, {OutChannels} (a network that is told an image or a mask beside the latents is not read)"));
        Need(!CenterInputSample, "center_input_sample", CenterInputSample, "false");
        Need(FreqShift is 0 or 1, "freq_shift", FreqShift, "0 or 1");
        Need(BlockOutChannels.Count is >= 1 and <= 12, "block_out_channels", BlockOutChannels.Count, "1 to 12 numbers");
        Need(DownBlockTypes.Count == BlockOutChannels.Count, "down_block_types", DownBlockTypes.Count, "as many as block_out_channels");
        Need(UpBlockTypes.Count == BlockOutChannels.Count, "up_block_types", UpBlockTypes.Count, "as many as block_out_channels");
        Need(MidBlockType is null or MiddleBlock, "mid_block_type", MidBlockType, $"{MiddleBlock} or null");
        Need(IsFalse(OnlyCrossAttention), "only_cross_attention", OnlyCrossAttention, "false");
        Need(MidBlockOnlyCrossAttention is not true, "mid_block_only_cross_attention", MidBlockOnlyCrossAttention, "false");
        Need(DownsamplePadding is 0 or 1, "downsample_padding", DownsamplePadding, "0 or 1");
        Need(MidBlockScaleFactor == 1, "mid_block_scale_factor", MidBlockScaleFactor, "1");
        Need(ActFn is "silu" or "swish", "act_fn", ActFn, "silu");
        Need(!DualCrossAttention, "dual_cross_attention", DualCrossAttention, "false");
        Need(AdditionEmbedType is null or TextAndTime, "addition_embed_type", AdditionEmbedType, $"{TextAndTime} or null");
        Need(AdditionEmbedType is null || AdditionTimeEmbedDim is > 0 and <= 65536, "addition_time_embed_dim", AdditionTimeEmbedDim,
            "a number in 1..65536");
        Need(AdditionEmbedType is null
            || ProjectionClassEmbeddingsInputDim > ConditionUNetOptions.SizesOfAnImage * AdditionTimeEmbedDim!.Value,
            "projection_class_embeddings_input_dim", ProjectionClassEmbeddingsInputDim, "more than six times addition_time_embed_dim");
        Need(AdditionEmbedType is not null || ProjectionClassEmbeddingsInputDim is null, "projection_class_embeddings_input_dim",
            ProjectionClassEmbeddingsInputDim, "null without addition_embed_type");
        Need(ResnetTimeScaleShift == "default", "resnet_time_scale_shift", ResnetTimeScaleShift, "default");
        Need(!ResnetSkipTimeAct, "resnet_skip_time_act", ResnetSkipTimeAct, "false");
        Need(ResnetOutScaleFactor == 1, "resnet_out_scale_factor", ResnetOutScaleFactor, "1");
        Need(TimeEmbeddingType == "positional", "time_embedding_type", TimeEmbeddingType, "positional");
        Need(ConvInKernel == 3, "conv_in_kernel", ConvInKernel, "3");
        Need(ConvOutKernel == 3, "conv_out_kernel", ConvOutKernel, "3");
        Need(AttentionType == "default", "attention_type", AttentionType, "default");
        Need(!ClassEmbeddingsConcat, "class_embeddings_concat", ClassEmbeddingsConcat, "false");
    }

    private static bool IsFalse(JsonElement value)
        => value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.False
        || (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.False));
}
