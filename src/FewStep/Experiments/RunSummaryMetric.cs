using System.Text.Json.Serialization;

namespace FewStep.Experiments;

/// <summary>The distance between samples and real images that the run reports; lower is better.</summary>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record MetricSummary
{
    /// <summary>Full name with the features it is measured on, e.g. <c>FD (fashion features)</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Short name for columns and labels, e.g. <c>FD</c>.</summary>
    public required string ShortName { get; init; }

    /// <summary>What it means, in a sentence or two: the distance, the features, the reference images.</summary>
    public required string Description { get; init; }

    /// <summary>Hash of the network that makes the features; null where it was not taken.</summary>
    public string? FeatureHash { get; init; }

    /// <summary>Hash of the real images that samples are compared with; null where it was not taken.</summary>
    public string? ReferenceHash { get; init; }

    /// <summary>The metric of real images against real images (training against test) at the sample size of the comparison; null where it was not measured.</summary>
    public double? Floor { get; init; }

    /// <summary>Standard deviation of the floor over disjoint subsets of real images; null where there were fewer than two.</summary>
    public double? FloorSpread { get; init; }

    /// <summary>Real images in each subset of <see cref="Floor"/>, as many as samples in a range; 0 where it was not measured.</summary>
    public int FloorImages { get; init; }

    /// <summary>Subsets that <see cref="Floor"/> is the mean of; 0 where it was not measured.</summary>
    public int FloorSubsets { get; init; }
}

/// <summary>The metric over disjoint ranges of image seeds.</summary>
/// <param name="Ranges">One value a range.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record DistanceSummary(IReadOnlyList<SeedRangeSummary> Ranges)
{
    /// <summary>Mean over the ranges; NaN where there is none.</summary>
    public double Mean => Ranges.Count == 0 ? double.NaN : Ranges.Average(r => r.Value);

    /// <summary>Standard deviation over the ranges (n - 1 in the denominator); null below two ranges.</summary>
    public double? Spread => Ranges.Count < 2 ? null : Math.Sqrt(Ranges.Sum(r => Square(r.Value - Mean)) / (Ranges.Count - 1));

    private static double Square(double x) => x * x;
}

/// <summary>The metric of the images of consecutive seeds.</summary>
/// <param name="FirstSeed">Seed of the first image.</param>
/// <param name="Images">Number of images (and of seeds).</param>
/// <param name="Value">The metric.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record SeedRangeSummary(long FirstSeed, int Images, double Value);
