namespace FewStep.Experiments;

/// <summary>The images of a run.</summary>
public sealed record DataSummary
{
    /// <summary>Name for people, e.g. <c>Fashion-MNIST</c>.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the training images in lower-case hexadecimal; null where there were none.</summary>
    public string? Hash { get; init; }

    /// <summary>SHA-256 of the real images that samples are compared with; null where there were none.</summary>
    public string? ReferenceHash { get; init; }

    /// <summary>Images that the loss curve and the tuning drew from.</summary>
    public long TrainingImages { get; init; }

    /// <summary>Images held out for the comparison; 0 where there were none.</summary>
    public long HeldOutImages { get; init; }
}
