namespace FewStep.Networks;

/// <summary>Architecture of a <see cref="ConditionUNet"/>; the defaults are those of Stable Diffusion 1. Lists have one entry a level, from
/// the finest on.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ConditionUNetOptions : INetworkOptions
{
    /// <summary>Height and width of the original, where it was cropped, and height and width of the result.</summary>
    public const int SizesOfAnImage = 6;

    private const int MostTransformerBlocks = 1000;

    // Of diffusers' pipeline of latent consistency models.
    private const double UsualGuidance = 8.5;

    /// <summary>Side of the latents that it was trained on; other sides work too.</summary>
    public int ImgResolution { get; init; } = 64;

    public int InChannels { get; init; } = 4;
    public int OutChannels { get; init; } = 4;
    public IReadOnlyList<int> BlockChannels { get; init; } = [320, 640, 1280, 1280];

    /// <summary>Residual blocks of a level on the way down; one more on the way up.</summary>
    public int NumBlocks { get; init; } = 2;

    /// <summary>Blocks of each transformer on the way down, 0 for a level without.</summary>
    public IReadOnlyList<int> DownTransformers { get; init; } = [1, 1, 1, 0];

    /// <summary>Blocks of each transformer on the way up, 0 for a level without.</summary>
    public IReadOnlyList<int> UpTransformers { get; init; } = [1, 1, 1, 0];

    /// <summary>Blocks of the middle's transformer; null for a network without a middle.</summary>
    public int? MiddleTransformer { get; init; } = 1;

    /// <summary>Attention heads of each level; the middle has those of the last.</summary>
    public IReadOnlyList<int> Heads { get; init; } = [8, 8, 8, 8];

    /// <summary>Width of the text embedding.</summary>
    public int ContextChannels { get; init; } = 768;

    /// <summary>Size of the time's embedding; null is four times the first channels.</summary>
    public int? EmbeddingChannels { get; init; }

    /// <summary>Size of the embedding of the guidance scale that a latent consistency model is told; null without one.</summary>
    public int? GuidanceChannels { get; init; }

    /// <summary>Size of the pooled text embedding with the embedded sizes, as Stable Diffusion XL is told them; null without.</summary>
    public int? AddedChannels { get; init; }

    /// <summary>Size of the embedding of each of those sizes.</summary>
    public int? SizeChannels { get; init; }

    public int NormGroups { get; init; } = 32;

    /// <summary>Added to the variance by the residual blocks' normalisations.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Whether the projections around the transformers are stored as matrices, instead of as convolutions of one pixel.</summary>
    public bool LinearProjections { get; init; }

    /// <summary>Whether going down pads a pixel on all sides, instead of on the right and below only.</summary>
    public bool SymmetricPadding { get; init; } = true;

    /// <summary>Whether the time embedding's cosines come before its sines.</summary>
    public bool CosineFirst { get; init; } = true;

    /// <summary>Whether the time embedding's lowest frequency is 1/10000 exactly, instead of one step above it.</summary>
    public bool FrequencyEndpoint { get; init; }

    TextWidths? INetworkOptions.Text => new(ContextChannels, AddedChannels - (SizesOfAnImage * SizeChannels));

    // Latent consistency models are told w of v + w (v - v_empty), which is one less than other programs' guidance scale.
    double? INetworkOptions.GuidanceTold(double? weight) => GuidanceChannels is null ? null : Told(weight);

    /// <summary>What such a model is told of a weight of guidance, its usual one where that is null.</summary>
    public static double Told(double? weight) => (weight ?? UsualGuidance) - 1;

    int INetworkOptions.LabelDim => 0;
    double INetworkOptions.LabelDropout => 0;
    long INetworkOptions.SideMultiple => UNetPlan.SideMultiple(BlockChannels.Count);

    string INetworkOptions.Description => InvariantText.Of(
        $"U-Net conditioned on text, channels [{string.Join(", ", BlockChannels)}], {NumBlocks} blocks, text of {ContextChannels}");

    Network INetworkOptions.Build() => new ConditionUNet(this);

    /// <summary>Itself, if every option is in range; else one message reports all that is wrong.</summary>
    internal ConditionUNetOptions Checked()
    {
        int levels = BlockChannels.Count;
        bool Each(IReadOnlyList<int> list, int low, int high) => list.Count == levels && list.All(n => n >= low && n <= high);
        long transformers = ((long)DownTransformers.Sum(n => (long)n) * NumBlocks) + (UpTransformers.Sum(n => (long)n) * (NumBlocks + 1));
        return new OptionRules($"The options of a U-Net conditioned on text are invalid")
            .Require(ImgResolution is >= 1 and <= 4096, $"img_resolution {ImgResolution} is not in 1..4096")
            .Require(InChannels is >= 1 and <= 4096, $"in_channels {InChannels} is not in 1..4096")
            .Require(OutChannels is >= 1 and <= 4096, $"out_channels {OutChannels} is not in 1..4096")
            .Require(levels is >= 1 and <= 12 && Each(BlockChannels, 2, 65536) && BlockChannels[0] % 2 == 0,
                $"block_channels needs 1 to 12 numbers in 2..65536, the first even")
            .Require(NumBlocks is >= 1 and <= 16, $"num_blocks {NumBlocks} is not in 1..16")
            .Require(Each(DownTransformers, 0, 64), $"down_transformers needs a number in 0..64 for each level")
            .Require(Each(UpTransformers, 0, 64), $"up_transformers needs a number in 0..64 for each level")
            .Require(MiddleTransformer is null or (>= 1 and <= 64), $"middle_transformer {MiddleTransformer} is not in 1..64")
            .Require(transformers <= MostTransformerBlocks, $"{transformers} transformer blocks are more than {MostTransformerBlocks}")
            .Require(Each(Heads, 1, 4096), $"heads needs a number in 1..4096 for each level")
            .Require(ContextChannels is >= 1 and <= 65536, $"context_channels {ContextChannels} is not in 1..65536")
            .Require(EmbeddingChannels is null or (>= 1 and <= 65536), $"embedding_channels {EmbeddingChannels} is not in 1..65536")
            .Require(IsEven(GuidanceChannels, 4), $"guidance_channels {GuidanceChannels} is not an even number in 4..65536")
            .Require(AddedChannels is null or (>= 1 and <= 65536), $"added_channels {AddedChannels} is not in 1..65536")
            .Require((AddedChannels is null) == (SizeChannels is null) && IsEven(SizeChannels, 2),
                $"size_channels must be an even number in 2..65536 where there are added_channels, and nothing elsewhere")
            .Require(NormGroups is >= 1 and <= 65536, $"norm_groups {NormGroups} is not in 1..65536")
            .Require(NormEpsilon is > 0 and <= 1, $"norm_epsilon {NormEpsilon} is not in (0, 1]")
            .Check(this);
    }

    private static bool IsEven(int? channels, int least)
        => channels is null || (channels >= least && channels <= 65536 && channels % 2 == 0);
}
