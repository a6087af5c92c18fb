namespace FewStep.Networks;

/// <summary>Architecture of a <see cref="DhariwalUNet"/>; names and defaults are NVlabs/edm's (ADM for ImageNet at 64x64).</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record DhariwalUNetOptions : IUNetOptions
{
    /// <summary>Side of the images in pixels, for the layers' names and the choice of attention levels; other sides work too.</summary>
    public required int ImgResolution { get; init; }

    public required int InChannels { get; init; }

    /// <summary>Channels of the output; more than the image's where the network also learnt a variance.</summary>
    public required int OutChannels { get; init; }

    public int LabelDim { get; init; }

    /// <summary>Size of the augmentation labels, which are always absent here; kept for checkpoints that have them.</summary>
    public int AugmentDim { get; init; }

    public int ModelChannels { get; init; } = 192;
    public IReadOnlyList<int> ChannelMult { get; init; } = [1, 2, 3, 4];
    public int ChannelMultEmb { get; init; } = 4;
    public int NumBlocks { get; init; } = 3;
    public IReadOnlyList<int> AttnResolutions { get; init; } = [32, 16, 8];

    /// <summary>Channels of an attention head; null is NVlabs/edm's 64.</summary>
    public int? ChannelsPerHead { get; init; }

    /// <summary>Attention heads of every layer, in place of <see cref="ChannelsPerHead"/>; null derives them from it.</summary>
    public int? Heads { get; init; }

    /// <summary>Attention heads of every layer after the middle; null is as everywhere (<see cref="Heads"/>).</summary>
    public int? HeadsUpsample { get; init; }

    /// <summary>False for a network without blocks in the middle.</summary>
    public bool? HasMiddle { get; init; }

    /// <summary>False for a network without attention in the middle.</summary>
    public bool? MiddleAttends { get; init; }

    /// <summary>Groups of the normalisation before the middle's attention, 0 for none; null is as everywhere.</summary>
    public int? MiddleAttentionGroups { get; init; }

    /// <summary>Groups of every normalisation; null is NVlabs/edm's rule: 32, or a quarter of the channels where that is less.
    /// openai/guided-diffusion always has 32.</summary>
    public int? NormGroups { get; init; }

    /// <summary>Whether the embedding scales and shifts after the second normalisation (null or true) or is added before it
    /// (false).</summary>
    public bool? ScaleShift { get; init; }

    /// <summary>Dropout probability inside the blocks while training.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Probability with which training drops the class label; a record of how the model was made.</summary>
    public double LabelDropout { get; init; }

    IReadOnlyList<int> IUNetOptions.LevelChannels => [.. ChannelMult.Select(m => ModelChannels * m)];
    int IUNetOptions.FirstChannels => ModelChannels * ChannelMult[0];
    bool IUNetOptions.DecoderAttendsLast => false;
    long INetworkOptions.SideMultiple => UNetPlan.SideMultiple(ChannelMult.Count);

    string INetworkOptions.Description => UNetPlan.Describe(
        this, "DhariwalUNet (ADM)", InvariantText.Of($"{ModelChannels} channels x [{string.Join(", ", ChannelMult)}]"));

    bool IUNetOptions.HasMiddle => HasMiddle ?? true;
    bool IUNetOptions.MiddleAttends => MiddleAttends ?? true;

    int IUNetOptions.HeadsOf(int channels, bool decoder)
        => (decoder ? HeadsUpsample : null) ?? Heads ?? channels / (ChannelsPerHead ?? 64);

    Network INetworkOptions.Build() => new DhariwalUNet(this);

    /// <summary>Itself, if every option is in range; else one message reports all that is wrong.</summary>
    internal DhariwalUNetOptions Checked() =>
        UNetPlan.Rules(this, nameof(DhariwalUNet))
            .RequireMultipliers(AugmentDim, ModelChannels, ChannelMult, ChannelMultEmb)
            .Require(ChannelsPerHead is null or (>= 1 and <= 4096), $"channels_per_head {ChannelsPerHead} is not in 1..4096")
            .Require(Heads is null or (>= 1 and <= 4096), $"heads {Heads} is not in 1..4096")
            .RequireMiddle(HeadsUpsample, MiddleAttentionGroups)
            .Require(NormGroups is null or (>= 1 and <= 4096), $"norm_groups {NormGroups} is not in 1..4096")
            .Check(this);
}
