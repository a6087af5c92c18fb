using System.Text.Json;
using System.Text.Json.Serialization;
using FewStep.Platform;

namespace FewStep.Checkpoints;

/// <summary>The <c>config.json</c> of a diffusers <c>UNet2DModel</c>, with the defaults of diffusers. A key that is not here is refused: it could change what the network computes.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record DiffusersConfig
{
    private const int DefaultHeadChannels = 8;

    [JsonPropertyName("_class_name")]
    public string? ClassName { get; init; }

    [JsonPropertyName("_diffusers_version")]
    public JsonElement Version { get; init; }

    [JsonPropertyName("_name_or_path")]
    public JsonElement NameOrPath { get; init; }

    /// <summary>A number, or height and width.</summary>
    public JsonElement SampleSize { get; init; }

    public int InChannels { get; init; } = 3;

    public int OutChannels { get; init; } = 3;

    public bool CenterInputSample { get; init; }

    public string TimeEmbeddingType { get; init; } = "positional";

    public double FreqShift { get; init; }

    public bool FlipSinToCos { get; init; } = true;

    public IReadOnlyList<string> DownBlockTypes { get; init; } = ["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"];

    public string? MidBlockType { get; init; }

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

    /// <summary>Height and width of the images, equal.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="given">What the user says; null for nothing.</param>
    /// <exception cref="InvalidInputException">Nobody says it, or the sides differ.</exception>
    public int Side(string path, int? given)
    {
        int? own = SampleSize.ValueKind switch
        {
            JsonValueKind.Number when SampleSize.TryGetInt32(out int side) => side,
            JsonValueKind.Array when SampleSize.EnumerateArray().Select(e => e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out int side) ? side : 0).Distinct().ToArray() is [var side] => side,
            JsonValueKind.Null or JsonValueKind.Undefined => null,
            _ => throw new InvalidInputException($"{path}: sample_size is neither a whole number nor two equal ones."),
        };
        return own is not null && given is not null && own != given
            ? throw new InvalidInputException($"{path}: sample_size is {own}, the option says {given}; leave the option out.")
            : own ?? given ?? throw new InvalidInputException($"{path}: sample_size is missing. Give the resolution of the images.");
    }

    /// <summary>Refuses what no network here computes.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <exception cref="InvalidInputException">A setting is of another kind; the message names its key.</exception>
    public void Check(string path)
    {
        void Need(bool holds, string key, object? value, string known)
        {
            if (!holds)
            {
                string shown = value is string text ? Printable.Text(text) : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value ?? "null"}");
                throw new InvalidInputException($"{path}: {key} is {shown}; known is {known}.");
            }
        }

        Need(ClassName == "UNet2DModel", "_class_name", ClassName, "UNet2DModel");
        Need(!CenterInputSample, "center_input_sample", CenterInputSample, "false");
        Need(TimeEmbeddingType == "positional", "time_embedding_type", TimeEmbeddingType, "positional");
        Need(FreqShift is 0 or 1, "freq_shift", FreqShift, "0 or 1");
        Need(MidBlockType is null or "UNetMidBlock2D", "mid_block_type", MidBlockType, "UNetMidBlock2D");
        Need(MidBlockScaleFactor == 1, "mid_block_scale_factor", MidBlockScaleFactor, "1");
        Need(DownsamplePadding is 0 or 1, "downsample_padding", DownsamplePadding, "0 or 1");
        Need(DownsampleType is "conv" or "resnet", "downsample_type", DownsampleType, "conv or resnet");
        Need(UpsampleType is "conv" or "resnet", "upsample_type", UpsampleType, "conv or resnet");
        Need(ActFn is "silu" or "swish", "act_fn", ActFn, "silu");
        Need(AttentionLegacyOrder is not true, "attention_legacy_order", AttentionLegacyOrder, "false");
        Need(ResnetTimeScaleShift is "default" or "scale_shift", "resnet_time_scale_shift", ResnetTimeScaleShift, "default or scale_shift");
        Need(AddAttention, "add_attention", AddAttention, "true");
        Need(AttnNormNumGroups is null || AttnNormNumGroups == NormNumGroups, "attn_norm_num_groups", AttnNormNumGroups, "norm_num_groups");
        Need(ClassEmbedType is null, "class_embed_type", ClassEmbedType, "null");
        Need(BlockOutChannels.Count is >= 1 and <= 12, "block_out_channels", BlockOutChannels.Count, "1 to 12 numbers");
        Need(DownBlockTypes.Count == BlockOutChannels.Count, "down_block_types", DownBlockTypes.Count, "as many as block_out_channels");
        Need(UpBlockTypes.Count == BlockOutChannels.Count, "up_block_types", UpBlockTypes.Count, "as many as block_out_channels");
        Need(AttentionHeadDim is null or > 0, "attention_head_dim", AttentionHeadDim, "null or above 0");
    }
}
