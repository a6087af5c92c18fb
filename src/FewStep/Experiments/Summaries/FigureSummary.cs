using FewStep.Metrics;

namespace FewStep.Experiments;

/// <summary>A figure that an experiment measured.</summary>
/// <param name="Key">Name in files, e.g. <c>fd</c>; unique.</param>
/// <param name="Name">Full name with the features it is measured on, e.g. <c>FD (fashion features)</c>.</param>
/// <param name="ShortName">Name for columns and labels, e.g. <c>FD</c>.</param>
/// <param name="Description">What it means, in a sentence or two.</param>
/// <param name="HigherIsBetter">Whether higher values are better; default false.</param>
/// <param name="FeatureHash">Hash of the network that makes the features; null where there is none.</param>
/// <param name="ReferenceHash">Hash of the real images (or of the teacher) that samples are compared with; null where there are
/// none.</param>
/// <param name="ReferenceImages">Number of real images that samples are compared with; null where unknown or where there are none.</param>
/// <param name="Floor">The figure of real images against real images (training against test) at the sample size of the experiment; null
/// where it was not measured.</param>
/// <param name="FloorSpread">Standard deviation of the floor over disjoint subsets of real images; null where there were fewer than
/// two.</param>
/// <param name="FloorImages">Real images in each subset of the floor; 0 where it was not measured.</param>
/// <param name="FloorSubsets">Subsets that the floor is the mean of; 0 where it was not measured.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record FigureSummary(
    string Key, string Name, string ShortName, string Description, bool HigherIsBetter = false, string? FeatureHash = null,
    string? ReferenceHash = null, long? ReferenceImages = null, double? Floor = null, double? FloorSpread = null, int FloorImages = 0,
    int FloorSubsets = 0)
{
    internal static FigureSummary Of(MetricFigure f) => new(
        f.Key, f.Name, f.ShortName, f.Description, f.HigherIsBetter, f.FeatureHash, f.ReferenceHash, f.ReferenceImages);
}
