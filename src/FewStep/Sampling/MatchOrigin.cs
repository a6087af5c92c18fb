namespace FewStep.Sampling;

/// <summary>What a sampler was matched to, and how near it comes. Distances are Fréchet's, on latents held out.</summary>
internal sealed record MatchOrigin
{
    /// <summary>Number of real images.</summary>
    public required int Images { get; init; }

    /// <summary>By what images are compared, e.g. <c>classifier features</c>.</summary>
    public required string Features { get; init; }

    /// <summary>Hash of the network that these are of: as a judge it is not impartial.</summary>
    public required string FeaturesHash { get; init; }

    public required int Latents { get; init; }
    public required int HeldOutLatents { get; init; }

    /// <summary>Guidance that the model had; null for none.</summary>
    public string? Guidance { get; init; }

    /// <summary>The one class of all latents, -1 for none; null for all classes.</summary>
    public long? Label { get; init; }

    public required double Before { get; init; }
    public required double After { get; init; }
    public required int Iterations { get; init; }
}
