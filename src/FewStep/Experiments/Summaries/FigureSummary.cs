using System.Text.Json.Serialization;
using FewStep.Metrics;

namespace FewStep.Experiments;

/// <summary>A figure that an experiment measured.</summary>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record FigureSummary
{
    /// <summary>Name in files, e.g. <c>fd</c>; unique.</summary>
    public required string Key { get; init; }

    /// <summary>Full name with the features it is measured on, e.g. <c>FD (fashion features)</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Name for columns and labels, e.g. <c>FD</c>.</summary>
    public required string ShortName { get; init; }

    /// <summary>What it means, in a sentence or two.</summary>
    public required string Description { get; init; }

    /// <summary>Whether higher values are better; default false.</summary>
    public bool HigherIsBetter { get; init; }

    /// <summary>Hash of the network that makes the features; null where there is none.</summary>
    public string? FeatureHash { get; init; }

    /// <summary>Hash of the real images (or of the teacher) that samples are compared with; null where there are none.</summary>
    public string? ReferenceHash { get; init; }

    /// <summary>Number of real images that samples are compared with; null where unknown or where there are none.</summary>
    public long? ReferenceImages { get; init; }

    /// <summary>The figure of real images against real images (training against test) at the sample size of the experiment; null where it
    /// was not measured.</summary>
    public double? Floor { get; init; }

    /// <summary>Standard deviation of the floor over disjoint subsets of real images; null where there were fewer than two.</summary>
    public double? FloorSpread { get; init; }

    /// <summary>Real images in each subset of <see cref="Floor"/>; 0 where it was not measured.</summary>
    public int FloorImages { get; init; }

    /// <summary>Subsets that <see cref="Floor"/> is the mean of; 0 where it was not measured.</summary>
    public int FloorSubsets { get; init; }

    internal static FigureSummary Of(MetricFigure figure) => new()
    {
        Key = figure.Key,
        Name = figure.Name,
        ShortName = figure.ShortName,
        Description = figure.Description,
        HigherIsBetter = figure.HigherIsBetter,
        FeatureHash = figure.FeatureHash,
        ReferenceHash = figure.ReferenceHash,
        ReferenceImages = figure.ReferenceImages,
    };
}
