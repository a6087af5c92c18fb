namespace FewStep.Sampling;

/// <summary>What a sampler was matched to, and how near it comes. Distances are Fréchet's, on latents held out.</summary>
internal sealed record MatchOrigin
{
    /// <summary>Number of real images.</summary>
    public required int Images { get; init; }

    /// <summary>By what images are compared, e.g. <c>Inception-v3 features, finest detail at weight 1</c>.</summary>
    public required string Features { get; init; }

    /// <summary>Hashes of the networks that it was matched by, with spaces between them, the latest first: as judges they are not
    /// impartial.</summary>
    public required string Judges { get; init; }

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
