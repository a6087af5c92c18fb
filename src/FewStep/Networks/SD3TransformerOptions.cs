namespace FewStep.Networks;

/// <summary>Architecture of an <see cref="SD3Transformer"/>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SD3TransformerOptions : INetworkOptions
{
    /// <summary>Side of the latents that it was made for; other sides work too.</summary>
    public required int ImgResolution { get; init; }

    public required int InChannels { get; init; }
    public required int OutChannels { get; init; }
    public int PatchSize { get; init; } = 2;
    public required int Layers { get; init; }
    public required int Heads { get; init; }
    public required int ChannelsPerHead { get; init; }

    /// <summary>Width of the text embedding.</summary>
    public required int ContextDim { get; init; }

    /// <summary>Width of the pooled text embedding.</summary>
    public required int PooledDim { get; init; }

    /// <summary>Side of the table of positions in patches, from whose middle those of a latent are taken.</summary>
    public required int PositionTableSide { get; init; }

    /// <summary>Whether query and key are normalised by head (SD 3.5).</summary>
    public bool NormalisedHeads { get; init; }

    /// <summary>Blocks in which the image has a second attention over itself alone (SD 3.5 medium).</summary>
    public IReadOnlyList<int> DualAttentionLayers { get; init; } = [];

    [JsonIgnore]
    public int Channels => Heads * ChannelsPerHead;

    TextWidths? INetworkOptions.Text => new(ContextDim, PooledDim);
    int INetworkOptions.LabelDim => 0;
    double INetworkOptions.LabelDropout => 0;
    long INetworkOptions.SideMultiple => PatchSize;

    string INetworkOptions.Description
        => InvariantText.Of($"SD3Transformer, {Layers} blocks of {Channels} channels, patches of {PatchSize}");

    Network INetworkOptions.Build() => new SD3Transformer(this);

    /// <summary>Itself, if every option is in range; else one message reports all that is wrong.</summary>
    internal SD3TransformerOptions Checked() => TransformerRules.Of(this, nameof(SD3Transformer), Layers, Heads, ChannelsPerHead, PatchSize)
        .RequireText(ContextDim, PooledDim)
        .Require((long)Heads * ChannelsPerHead % 4 == 0, $"heads times channels_per_head is no multiple of 4")
        .Require(PositionTableSide is >= 1 and <= 1024, $"position_table_side {PositionTableSide} is not in 1..1024")
        .Require((long)PositionTableSide * PositionTableSide * Heads * ChannelsPerHead <= 1 << 28, $"the table of positions is too large")
        .Require(DualAttentionLayers.Count <= Layers && DualAttentionLayers.All(i => i >= 0 && i < Layers),
            $"dual_attention_layers are not all below layers")
        .Check(this);
}
