namespace FewStep.Networks;

/// <summary>An architecture with its sizes: what <c>config.json</c> says of a network under the key that <see cref="ArchitectureCatalog"/>
/// gives it.</summary>
internal interface INetworkOptions
{
    /// <summary>Side of the network's input in pixels that its layers are named by; other sides work too.</summary>
    int ImgResolution { get; }

    int InChannels { get; }

    /// <summary>Channels of the output; more than those of the input where the network also learnt a variance.</summary>
    int OutChannels { get; }

    int LabelDim { get; }

    /// <summary>Probability with which training dropped the class label; 0 for a network that was never shown "no class".</summary>
    double LabelDropout { get; }

    /// <summary>Widths of the text that it is told; null for a network that is told none.</summary>
    TextWidths? Text => null;

    /// <summary>Tokens of T5 that it is told; null for a network that is told none, or whose pipeline says it.</summary>
    int? LongText => null;

    /// <summary>Whether what it denoises are latents as a pipeline of diffusers decodes them.</summary>
    bool IsOfPipelines => Text is not null;

    /// <summary>What it is told of a weight of guidance, its usual one where that is null; null for a network that is told none, as nearly
    /// all are.</summary>
    double? GuidanceTold(double? weight) => null;

    /// <summary>Whether "no class", or the empty prompt, means something to it.</summary>
    bool KnowsNoClass => LabelDropout > 0 || Text is not null;

    /// <summary>What the sides of the network's input must be multiples of.</summary>
    long SideMultiple { get; }

    /// <summary>The architecture and its sizes in words.</summary>
    string Description { get; }

    /// <summary>Lays the network out; the caller owns it.</summary>
    Network Build();
}

/// <summary>Numbers of a token's embedding, and of the pooled embedding where there is one.</summary>
internal readonly record struct TextWidths(int Context, int? Pooled);
