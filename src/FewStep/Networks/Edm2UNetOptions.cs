namespace FewStep.Networks;

/// <summary>Architecture of an <see cref="Edm2UNet"/>; the defaults are NVlabs/edm2's.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record Edm2UNetOptions : IUNetOptions
{
    /// <summary>Side of the images, for the layers' names; other sides work too.</summary>
    public required int ImgResolution { get; init; }

    public required int InChannels { get; init; }
    public required int OutChannels { get; init; }
    public int LabelDim { get; init; }
    public int ModelChannels { get; init; } = 192;

    /// <summary>Channels of each resolution, from the finest on, as multiples of <see cref="ModelChannels"/>.</summary>
    public IReadOnlyList<int> ChannelMult { get; init; } = [1, 2, 3, 4];

    /// <summary>Cosines of the noise embedding as a multiple; null is those of the finest resolution.</summary>
    public int? ChannelMultNoise { get; init; }

    /// <summary>Channels of the embedding as a multiple; null is the largest of <see cref="ChannelMult"/>.</summary>
    public int? ChannelMultEmb { get; init; }

    public int NumBlocks { get; init; } = 3;
    public IReadOnlyList<int> AttnResolutions { get; init; } = [16, 8];
    public int ChannelsPerHead { get; init; } = 64;

    /// <summary>Share of the class in the embedding.</summary>
    public double LabelBalance { get; init; } = 0.5;

    /// <summary>Share of the skip connection where it joins.</summary>
    public double ConcatBalance { get; init; } = 0.5;

    /// <summary>Share of a block's residual branch.</summary>
    public double ResBalance { get; init; } = 0.3;

    /// <summary>Share of a block's attention.</summary>
    public double AttnBalance { get; init; } = 0.3;

    /// <summary>Largest magnitude of a block's output; null for none.</summary>
    public double? ClipAct { get; init; } = 256;

    /// <summary>Dropout probability inside the blocks while training.</summary>
    public double Dropout { get; init; }

    [JsonIgnore]
    public IReadOnlyList<int> LevelChannels => [.. ChannelMult.Select(multiple => ModelChannels * multiple)];

    [JsonIgnore]
    public int NoiseChannels => ModelChannels * (ChannelMultNoise ?? ChannelMult[0]);

    [JsonIgnore]
    public int EmbeddingChannels => ModelChannels * (ChannelMultEmb ?? ChannelMult.Max());

    double INetworkOptions.LabelDropout => 0;
    int IUNetOptions.FirstChannels => ModelChannels * ChannelMult[0];
    bool IUNetOptions.DecoderAttendsLast => false;
    long INetworkOptions.SideMultiple => UNetPlan.SideMultiple(ChannelMult.Count);

    string INetworkOptions.Description => UNetPlan.Describe(
        this, "Edm2UNet (magnitude preserving)", InvariantText.Of($"{ModelChannels} channels x [{string.Join(", ", ChannelMult)}]"));

    int IUNetOptions.HeadsOf(int channels, bool decoder) => channels / ChannelsPerHead;

    Network INetworkOptions.Build() => new Edm2UNet(this);

    /// <summary>Itself, if every option is in range; else one message reports all that is wrong.</summary>
    internal Edm2UNetOptions Checked()
    {
        bool IsShare(double t) => t is >= 0 and <= 1;
        var rules = UNetPlan.Rules(this, nameof(Edm2UNet))
            .RequireMultipliers(0, ModelChannels, ChannelMult, ChannelMultEmb ?? 1)
            .Require(ChannelMultNoise is null or (>= 1 and <= 64), $"channel_mult_noise {ChannelMultNoise} is not in 1..64")
            .Require(ChannelsPerHead is >= 1 and <= 65536, $"channels_per_head {ChannelsPerHead} is not in 1..65536")
            .Require(IsShare(LabelBalance) && IsShare(ConcatBalance) && IsShare(ResBalance) && IsShare(AttnBalance),
                $"a balance is not in 0..1")
            .Require(ClipAct is null or > 0, $"clip_act {ClipAct} is not above 0");
        rules.Check();
        return rules.Require(UNetPlan.Of(this).TrueForAll(layer => layer.Heads == 0 || layer.OutChannels % ChannelsPerHead == 0),
            $"channels do not divide into heads of {ChannelsPerHead}").Check(this);
    }
}
