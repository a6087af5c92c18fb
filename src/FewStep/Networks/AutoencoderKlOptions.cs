namespace FewStep.Networks;

/// <summary>Architecture of an <see cref="AutoencoderKl"/>; the defaults are those of Stable Diffusion.</summary>
internal sealed record AutoencoderKlOptions
{
    public int InChannels { get; init; } = 3;
    public int OutChannels { get; init; } = 3;
    public int LatentChannels { get; init; } = 4;

    /// <summary>Channels of each level, from the finest on.</summary>
    public IReadOnlyList<int> BlockChannels { get; init; } = [128, 256, 512, 512];

    /// <summary>Residual blocks of a level on the way down; one more on the way up.</summary>
    public int NumBlocks { get; init; } = 2;

    public int NormGroups { get; init; } = 32;

    /// <summary>Whether there is attention between the blocks of the middle.</summary>
    public bool MiddleAttends { get; init; } = true;

    /// <summary>Whether a convolution of one pixel follows the encoder.</summary>
    public bool QuantConvolution { get; init; } = true;

    /// <summary>Whether a convolution of one pixel precedes the decoder.</summary>
    public bool PostQuantConvolution { get; init; } = true;

    /// <summary>Factor that gives latents about unit variance.</summary>
    public double ScalingFactor { get; init; } = 0.18215;

    /// <summary>Subtracted from latents before that.</summary>
    public double ShiftFactor { get; init; }

    /// <summary>Pixels of an image's side for each of its latents'.</summary>
    public int Factor => 1 << (BlockChannels.Count - 1);

    /// <summary>Itself, if every option is in range; else one message reports all that is wrong.</summary>
    internal AutoencoderKlOptions Checked() => new OptionRules("The options of an autoencoder are invalid")
        .Require(InChannels is >= 1 and <= 64, $"in_channels {InChannels} is not in 1..64")
        .Require(OutChannels is >= 1 and <= 64, $"out_channels {OutChannels} is not in 1..64")
        .Require(LatentChannels is >= 1 and <= 1024, $"latent_channels {LatentChannels} is not in 1..1024")
        .Require(BlockChannels.Count is >= 1 and <= 8 && BlockChannels.All(c => c is >= 1 and <= 65536),
            $"block_channels needs 1 to 8 numbers in 1..65536")
        .Require(NumBlocks is >= 1 and <= 64, $"num_blocks {NumBlocks} is not in 1..64")
        .Require(NormGroups is >= 1 and <= 65536, $"norm_groups {NormGroups} is not in 1..65536")
        .Require(ScalingFactor is >= 1e-6 and <= 1e6, $"scaling_factor {ScalingFactor} is not in 1e-6..1e6")
        .Require(ShiftFactor is >= -1e6 and <= 1e6, $"shift_factor {ShiftFactor} is not in -1e6..1e6")
        .Check(this);
}
