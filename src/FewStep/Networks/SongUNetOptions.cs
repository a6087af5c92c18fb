namespace FewStep.Networks;

/// <summary>Architecture of a <see cref="SongUNet"/>; names and defaults are NVlabs/edm's (DDPM++).</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SongUNetOptions : IUNetOptions
{
    /// <summary>Side of the images in pixels, for the layers' names and the choice of attention levels; other sides work too.</summary>
    public required int ImgResolution { get; init; }

    public required int InChannels { get; init; }
    public required int OutChannels { get; init; }
    public int LabelDim { get; init; }

    /// <summary>Size of the augmentation labels, which are always absent here; kept for checkpoints that have them.</summary>
    public int AugmentDim { get; init; }

    public int ModelChannels { get; init; } = 128;
    public IReadOnlyList<int> ChannelMult { get; init; } = [1, 2, 2, 2];
    public int ChannelMultEmb { get; init; } = 4;
    public int NumBlocks { get; init; } = 4;
    public IReadOnlyList<int> AttnResolutions { get; init; } = [16];

    /// <summary>Dropout probability inside the blocks while training.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Probability with which training drops the class label; a record of how the model was made.</summary>
    public double LabelDropout { get; init; }

    public string EmbeddingType { get; init; } = "positional";

    /// <summary>Multiplier of the noise embedding's size: 1 for DDPM++, 2 for NCSN++.</summary>
    public int ChannelMultNoise { get; init; } = 1;

    public string EncoderType { get; init; } = "standard";
    public string DecoderType { get; init; } = "standard";

    /// <summary>Resampling filter: [1,1] for DDPM++, [1,3,3,1] for NCSN++.</summary>
    public IReadOnlyList<int> ResampleFilter { get; init; } = [1, 1];

    IReadOnlyList<int> IUNetOptions.LevelChannels => [.. ChannelMult.Select(m => ModelChannels * m)];
    int IUNetOptions.FirstChannels => ModelChannels;
    bool IUNetOptions.DecoderAttendsLast => true;
    long INetworkOptions.SideMultiple => UNetPlan.SideMultiple(ChannelMult.Count);

    string INetworkOptions.Description =>
        UNetPlan.Describe(this, $"SongUNet ({(EmbeddingType == "fourier" ? "NCSN++" : "DDPM++")})",
            InvariantText.Of($"{ModelChannels} channels x [{string.Join(", ", ChannelMult)}]"));

    int IUNetOptions.HeadsOf(int channels, bool decoder) => 1;

    Network INetworkOptions.Build() => new SongUNet(this);

    /// <summary>Itself, if every option is in range; else one message reports all that is wrong.</summary>
    internal SongUNetOptions Checked()
    {
        bool taps = ResampleFilter.Count is >= 2 and <= 16 && ResampleFilter.Count % 2 == 0
            && ResampleFilter.All(tap => tap is >= -1000 and <= 1000) && ResampleFilter.Sum() != 0;
        return UNetPlan.Rules(this, nameof(SongUNet))
            .RequireMultipliers(AugmentDim, ModelChannels, ChannelMult, ChannelMultEmb)
            .Require(ChannelMultNoise is >= 1 and <= 64, $"channel_mult_noise {ChannelMultNoise} is not in 1..64")
            .Require(EmbeddingType is "positional" or "fourier", $"embedding_type '{EmbeddingType}' is neither positional nor fourier")
            .Require(EncoderType is "standard" or "residual" or "skip", $"encoder_type '{EncoderType}' is none of standard, residual, skip")
            .Require(DecoderType is "standard" or "skip", $"decoder_type '{DecoderType}' is neither standard nor skip")
            .Require(taps, $"resample_filter needs an even number (2 to 16) of taps in -1000..1000 that do not sum to 0")
            .Check(this);
    }
}
