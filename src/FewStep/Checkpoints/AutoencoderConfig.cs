using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>The <c>config.json</c> of a diffusers <c>AutoencoderKL</c>, with the defaults of diffusers.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record AutoencoderConfig
{
    /// <summary>The class that is read.</summary>
    public const string Class = "AutoencoderKL";

    private const string DownBlock = "DownEncoderBlock2D", UpBlock = "UpDecoderBlock2D";

    // The size that it was trained on, and whether diffusers decodes in float32.
    private static readonly string[] WithoutEffect = ["sample_size", "force_upcast"];

    public int InChannels { get; init; } = 3;
    public int OutChannels { get; init; } = 3;
    public IReadOnlyList<string> DownBlockTypes { get; init; } = [DownBlock];
    public IReadOnlyList<string> UpBlockTypes { get; init; } = [UpBlock];
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [64];
    public int LayersPerBlock { get; init; } = 1;
    public string ActFn { get; init; } = "silu";
    public int LatentChannels { get; init; } = 4;
    public int NormNumGroups { get; init; } = 32;
    public double ScalingFactor { get; init; } = 0.18215;
    public double? ShiftFactor { get; init; }
    public bool UseQuantConv { get; init; } = true;
    public bool UsePostQuantConv { get; init; } = true;
    public bool MidBlockAddAttention { get; init; } = true;

    /// <summary>Reads a configuration as an autoencoder's options.</summary>
    public static AutoencoderKlOptions Read(string path)
    {
        var config = DiffusersConfigFile.Read<AutoencoderConfig>(path, Class, WithoutEffect);
        void Need(bool holds, string key, object? value, string known) => DiffusersConfigFile.Need(holds, path, key, value, known);
        int levels = config.BlockOutChannels.Count;
        bool All(IReadOnlyList<string> types, string type) => types.Count == levels && types.All(t => t == type);
        Need(All(config.DownBlockTypes, DownBlock), "down_block_types", string.Join(", ", config.DownBlockTypes.Take(12)),
            $"{DownBlock} for each of block_out_channels");
        Need(All(config.UpBlockTypes, UpBlock), "up_block_types", string.Join(", ", config.UpBlockTypes.Take(12)),
            $"{UpBlock} for each of block_out_channels");
        Need(config.ActFn is "silu" or "swish", "act_fn", config.ActFn, "silu");
        return new AutoencoderKlOptions
        {
            InChannels = config.InChannels,
            OutChannels = config.OutChannels,
            LatentChannels = config.LatentChannels,
            BlockChannels = config.BlockOutChannels,
            NumBlocks = config.LayersPerBlock,
            NormGroups = config.NormNumGroups,
            MiddleAttends = config.MidBlockAddAttention,
            QuantConvolution = config.UseQuantConv,
            PostQuantConvolution = config.UsePostQuantConv,
            ScalingFactor = config.ScalingFactor,
            ShiftFactor = config.ShiftFactor ?? 0,
        }.Checked();
    }
}
