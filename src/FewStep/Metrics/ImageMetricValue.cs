namespace FewStep.Metrics;

/// <summary>One figure about one set of images.</summary>
/// <param name="Metric">The metric it belongs to.</param>
/// <param name="Name">Display name with the features it is measured on, e.g. <c>recall (Inception-v3)</c>.</param>
/// <param name="Value">The figure.</param>
/// <param name="Images">Images that it was computed from.</param>
/// <param name="HigherIsBetter">Whether higher values are better.</param>
/// <param name="InnerDeviation">Standard deviation within the set, over the random subsets of a kernel distance or the parts of a class score; null for other metrics.</param>
public sealed record ImageMetricValue(ImageMetric Metric, string Name, double Value, long Images, bool HigherIsBetter, double? InnerDeviation = null);

/// <summary>One figure with its spread over disjoint ranges of seeds, or disjoint subsets of images.</summary>
/// <param name="Metric">The metric it belongs to.</param>
/// <param name="Name">Display name with the features it is measured on.</param>
/// <param name="Value">The figure: of all images together, or the mean over the ranges.</param>
/// <param name="Images">Images that <paramref name="Value"/> is of, or images in a range.</param>
/// <param name="HigherIsBetter">Whether higher values are better.</param>
/// <param name="Ranges">The figure of each range or subset; empty where there is only one set.</param>
/// <param name="RangeImages">Images in a range or subset.</param>
/// <param name="ExtractorHash">SHA-256 of the feature network's weights.</param>
/// <param name="StandardDeviation">Sample standard deviation of <paramref name="Ranges"/>; null below two.</param>
/// <param name="InnerDeviation">See <see cref="ImageMetricValue.InnerDeviation"/>; of all images together, null for a mean over ranges.</param>
/// <param name="ReferenceImages">Number of reference images; null where it is not known, or there are none.</param>
/// <param name="ReferenceHash">Hash of the reference; null where the metric needs none.</param>
public sealed record ImageMetricFigure(
    ImageMetric Metric,
    string Name,
    double Value,
    long Images,
    bool HigherIsBetter,
    IReadOnlyList<double> Ranges,
    long RangeImages,
    string ExtractorHash,
    double? StandardDeviation = null,
    double? InnerDeviation = null,
    long? ReferenceImages = null,
    string? ReferenceHash = null);
