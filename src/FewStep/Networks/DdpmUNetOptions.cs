namespace FewStep.Networks;

/// <summary>Architecture of a <see cref="DdpmUNet"/>; the defaults are those of Ho et al. for CIFAR-10.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record DdpmUNetOptions : IUNetOptions
{
    /// <summary>Side of the images in pixels, for the layers' names; other sides work too.</summary>
    public required int ImgResolution { get; init; }

    public required int InChannels { get; init; }

    /// <summary>Channels of the output; more than the image's where the network also learnt a variance.</summary>
    public required int OutChannels { get; init; }

    public int LabelDim { get; init; }

    /// <summary>Channels of each resolution, from the finest on.</summary>
    public IReadOnlyList<int> BlockChannels { get; init; } = [128, 256, 256, 256];

    public int NumBlocks { get; init; } = 2;
    public IReadOnlyList<int> AttnResolutions { get; init; } = [16];

    /// <summary>Channels of an attention head; null is one head of all channels.</summary>
    public int? ChannelsPerHead { get; init; }

    /// <summary>Attention heads of every layer, in place of <see cref="ChannelsPerHead"/>.</summary>
    public int? Heads { get; init; }

    /// <summary>Attention heads of every layer after the middle; null is as everywhere.</summary>
    public int? HeadsUpsample { get; init; }

    /// <summary>False for a network without blocks in the middle.</summary>
    public bool? HasMiddle { get; init; }

    /// <summary>False for a network without attention in the middle.</summary>
    public bool? MiddleAttends { get; init; }

    /// <summary>Groups of the normalisation before the middle's attention, 0 for none; null is as everywhere.</summary>
    public int? MiddleAttentionGroups { get; init; }

    /// <summary>Size of the embedding of noise and class; null is four times the first channels.</summary>
    public int? EmbeddingChannels { get; init; }

    public int NormGroups { get; init; } = 32;

    /// <summary>Added to the variance by every normalisation.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>Whether the embedding scales and shifts after the second normalisation, instead of being added before it.</summary>
    public bool ScaleShift { get; init; }

    /// <summary>Whether going down pads a pixel on all sides, instead of on the right and below only.</summary>
    public bool SymmetricPadding { get; init; }

    /// <summary>Whether the noise embedding's cosines come before its sines.</summary>
    public bool CosineFirst { get; init; }

    /// <summary>Whether the noise embedding's lowest frequency is 1/10000 exactly (diffusers' <c>freq_shift</c> 1) instead of one step
    /// above it (0).</summary>
    public bool FrequencyEndpoint { get; init; } = true;

    /// <summary>Dropout probability inside the blocks while training.</summary>
    public double Dropout { get; init; } = 0.1;

    double INetworkOptions.LabelDropout => 0;
    IReadOnlyList<int> IUNetOptions.LevelChannels => BlockChannels;
    int IUNetOptions.FirstChannels => BlockChannels[0];
    bool IUNetOptions.DecoderAttendsLast => false;
    long INetworkOptions.SideMultiple => UNetPlan.SideMultiple(BlockChannels.Count);

    string INetworkOptions.Description
        => UNetPlan.Describe(this, "DdpmUNet (DDPM)", InvariantText.Of($"channels [{string.Join(", ", BlockChannels)}]"));

    bool IUNetOptions.HasMiddle => HasMiddle ?? true;
    bool IUNetOptions.MiddleAttends => MiddleAttends ?? true;

    int IUNetOptions.HeadsOf(int channels, bool decoder)
        => (decoder ? HeadsUpsample : null) ?? Heads ?? (ChannelsPerHead is { } each ? channels / each : 1);

    Network INetworkOptions.Build() => new DdpmUNet(this);

    /// <summary>Itself, if every option is in range; else one message reports all that is wrong.</summary>
    internal DdpmUNetOptions Checked()
    {
        bool channels = BlockChannels.Count is >= 1 and <= 12 && BlockChannels.All(c => c is >= 4 and <= 65536 && c % 2 == 0);
        return UNetPlan.Rules(this, nameof(DdpmUNet))
            .Require(channels, $"block_channels needs 1 to 12 even numbers in 4..65536")
            .Require(ChannelsPerHead is null or (>= 1 and <= 65536), $"channels_per_head {ChannelsPerHead} is not in 1..65536")
            .RequireMiddle(HeadsUpsample, MiddleAttentionGroups)
            .Require(Heads is null or (>= 1 and <= 4096), $"heads {Heads} is not in 1..4096")
            .Require(EmbeddingChannels is null or (>= 1 and <= 65536), $"embedding_channels {EmbeddingChannels} is not in 1..65536")
            .Require(NormGroups is >= 1 and <= 65536, $"norm_groups {NormGroups} is not in 1..65536")
            .Require(NormEpsilon is > 0 and <= 1, $"norm_epsilon {NormEpsilon} is not in (0, 1]")
            .Check(this);
    }
}
