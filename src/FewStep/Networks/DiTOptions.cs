namespace FewStep.Networks;

/// <summary>Architecture of a <see cref="DiT"/>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record DiTOptions : INetworkOptions
{
    /// <summary>Side of the latents that positions were trained for; other sides work too.</summary>
    public required int ImgResolution { get; init; }

    public required int InChannels { get; init; }

    /// <summary>Channels of the output; twice the latent's where the network also learnt a variance.</summary>
    public required int OutChannels { get; init; }

    /// <summary>Number of classes, without "no class", which every such network has beside them.</summary>
    public required int LabelDim { get; init; }

    public int PatchSize { get; init; } = 2;
    public required int Layers { get; init; }
    public required int Heads { get; init; }
    public required int ChannelsPerHead { get; init; }

    /// <summary>Added to the variance by the second normalisation of a block; it is 1e-6 everywhere else.</summary>
    public double NormEpsilon { get; init; } = Tokens.Epsilon;

    /// <summary>Whether all blocks share one embedding of time and class (facebookresearch/DiT), instead of one each (diffusers).</summary>
    public bool SharedEmbedding { get; init; }

    /// <summary>Whether the time embedding's lowest frequency is 1/10000 exactly (diffusers) instead of one step above it
    /// (facebookresearch/DiT).</summary>
    public bool FrequencyEndpoint { get; init; }

    /// <summary>Whether query, key and value have biases.</summary>
    public bool AttentionBias { get; init; } = true;

    /// <summary>Divides the places of patches (diffusers' <c>interpolation_scale</c>).</summary>
    public double PositionScale { get; init; } = 1;

    /// <summary>Probability with which training dropped the class label; 0.1 is what DiT was trained with.</summary>
    public double LabelDropout { get; init; } = 0.1;

    [JsonIgnore]
    public int Channels => Heads * ChannelsPerHead;

    bool INetworkOptions.IsOfPipelines => true;
    long INetworkOptions.SideMultiple => PatchSize;

    string INetworkOptions.Description => InvariantText.Of($"DiT, {Layers} blocks of {Channels} channels, patches of {PatchSize}");

    Network INetworkOptions.Build() => new DiT(this);

    /// <summary>Itself, if every option is in range; else one message reports all that is wrong.</summary>
    internal DiTOptions Checked() => TransformerRules.Of(this, nameof(DiT), Layers, Heads, ChannelsPerHead, PatchSize)
        .Require(LabelDim is >= 1 and <= 1_000_000, $"label_dim {LabelDim} is not in 1..1000000")
        .Require((long)Heads * ChannelsPerHead % 4 == 0, $"heads times channels_per_head is no multiple of 4")
        .Require(NormEpsilon is > 0 and <= 1, $"norm_epsilon {NormEpsilon} is not in (0, 1]")
        .Require(PositionScale is > 0 and <= 1000, $"position_scale {PositionScale} is not in (0, 1000]")
        .Require(LabelDropout is > 0 and < 1, $"label_dropout {LabelDropout} is not in (0, 1)")
        .Check(this);
}

/// <summary>The rules that all transformers' options have in common.</summary>
internal static class TransformerRules
{
    public static OptionRules Of(INetworkOptions options, string name, int layers, int heads, int channelsPerHead, int patch) =>
        new OptionRules($"The {name}'s options are invalid")
            .Require(options.ImgResolution is >= 1 and <= 4096, $"img_resolution {options.ImgResolution} is not in 1..4096")
            .Require(options.InChannels is >= 1 and <= 4096, $"in_channels {options.InChannels} is not in 1..4096")
            .Require(options.OutChannels is >= 1 and <= 4096, $"out_channels {options.OutChannels} is not in 1..4096")
            .Require(layers is >= 1 and <= 256, $"layers {layers} is not in 1..256")
            .Require(heads is >= 1 and <= 256, $"heads {heads} is not in 1..256")
            .Require(channelsPerHead is >= 1 and <= 1024, $"channels_per_head {channelsPerHead} is not in 1..1024")
            .Require(patch is >= 1 and <= 64 && patch <= options.ImgResolution, $"patch_size {patch} is not in 1..64 and img_resolution");

    /// <summary>The rules of what a network is told of a text.</summary>
    public static OptionRules RequireText(this OptionRules rules, int contextDim, int pooledDim) => rules
        .Require(contextDim is >= 1 and <= 65536, $"context_dim {contextDim} is not in 1..65536")
        .Require(pooledDim is >= 1 and <= 65536, $"pooled_dim {pooledDim} is not in 1..65536");
}
