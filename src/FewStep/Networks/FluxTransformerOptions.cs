namespace FewStep.Networks;

/// <summary>Architecture of a <see cref="FluxTransformer"/>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record FluxTransformerOptions : INetworkOptions
{
    private const double UsualGuidance = 3.5; // of diffusers' pipeline

    /// <summary>Tokens of the text of Flux.1-schnell, half of what the pipeline takes for dev.</summary>
    public const int TokensOfSchnell = 256;

    /// <summary>Side of its input, half of the latents', for descriptions; other sides work too.</summary>
    public required int ImgResolution { get; init; }

    /// <summary>Channels of latents whose patches are folded: 64.</summary>
    public required int InChannels { get; init; }

    public required int OutChannels { get; init; }

    /// <summary>Blocks of joint attention.</summary>
    public required int Layers { get; init; }

    /// <summary>Blocks over text and image together.</summary>
    public required int SingleLayers { get; init; }

    public required int Heads { get; init; }
    public required int ChannelsPerHead { get; init; }

    /// <summary>Width of the text embedding.</summary>
    public required int ContextDim { get; init; }

    /// <summary>Width of the pooled text embedding.</summary>
    public required int PooledDim { get; init; }

    /// <summary>Whether it is told a guidance scale (Flux.1-dev).</summary>
    public bool ToldGuidance { get; init; }

    /// <summary>Channels of a head that the rotations by index, row and column take.</summary>
    public IReadOnlyList<int> AxesChannels { get; init; } = [16, 56, 56];

    [JsonIgnore]
    public int Channels => Heads * ChannelsPerHead;

    TextWidths? INetworkOptions.Text => new(ContextDim, PooledDim);
    int? INetworkOptions.LongText => ToldGuidance ? null : TokensOfSchnell;
    double? INetworkOptions.GuidanceTold(double? weight) => ToldGuidance ? Told(weight) : null;

    /// <summary>What such a model is told of a weight of guidance, its usual one where that is null.</summary>
    public static double Told(double? weight) => weight ?? UsualGuidance;
    int INetworkOptions.LabelDim => 0;
    double INetworkOptions.LabelDropout => 0;
    long INetworkOptions.SideMultiple => 1;

    string INetworkOptions.Description
        => InvariantText.Of($"FluxTransformer, {Layers} joint and {SingleLayers} single blocks of {Channels} channels");

    Network INetworkOptions.Build() => new FluxTransformer(this);

    /// <summary>Itself, if every option is in range; else one message reports all that is wrong.</summary>
    internal FluxTransformerOptions Checked() => TransformerRules.Of(this, nameof(FluxTransformer), Layers, Heads, ChannelsPerHead, 1)
        .RequireText(ContextDim, PooledDim)
        .Require(SingleLayers is >= 0 and <= 256, $"single_layers {SingleLayers} is not in 0..256")
        .Require(AxesChannels.Count == 3 && AxesChannels.All(c => c is >= 2 and <= 1024 && c % 2 == 0)
            && AxesChannels.Sum() == ChannelsPerHead, $"axes_channels are not three even numbers that add up to channels_per_head")
        .Check(this);
}
