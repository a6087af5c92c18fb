using FewStep.Denoising;
using FewStep.Search;

namespace FewStep.Experiments;

/// <summary>The model of a comparison, and what its searches may use.</summary>
public sealed record ComparisonModel
{
    /// <summary>The model; not owned.</summary>
    public required IDenoiser Denoiser { get; init; }

    /// <summary>What tells its images from another's: hash of the weights and number format. Measurements and searches are found again by it.</summary>
    public required string Identity { get; init; }

    /// <summary>Hash of the weights, for schedule files; null (default) where there is none.</summary>
    public string? Hash { get; init; }

    /// <summary>Its training loss curve, measured when first asked for and the same ever after; null (default) where it cannot be had.</summary>
    public Func<LossCurve>? LossCurve { get; init; }

    /// <summary>Images that it was trained on; null (default) where there are none.</summary>
    public Func<ITrainingImages>? TrainingImages { get; init; }

    /// <summary>Hash of those images; null (default) where there are none.</summary>
    public string? TrainingHash { get; init; }
}
