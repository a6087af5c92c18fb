namespace FewStep.Metrics;

/// <summary>A metric that looks at images alone, whatever their seeds.</summary>
/// <param name="Start">Begins to measure a number of images.</param>
internal sealed record FeatureMetric(
    string Identity, bool ComparesWithRealImages, IReadOnlyList<MetricFigure> Figures, Func<int, IMetricMeasurement> Start) : IMetric
{
    public IMetricMeasurement Begin(int images, SeedRange? seeds) => Start(images);
}
