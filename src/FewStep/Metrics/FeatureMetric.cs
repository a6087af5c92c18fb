namespace FewStep.Metrics;

/// <summary>A metric that looks at images alone, whatever their seeds.</summary>
/// <param name="Start">Begins to measure a number of images, of which the first so many are measured elsewhere.</param>
internal sealed record FeatureMetric(
    string Identity, bool ComparesWithRealImages, IReadOnlyList<MetricFigure> Figures,
    Func<int, int, IJoinableMeasurement> Start) : IJoinableMetric
{
    public IMetricMeasurement Begin(int images, SeedRange? seeds) => Start(images, 0);
    public IJoinableMeasurement Begin(SeedRange whole, SeedRange part) => Start(whole.Count, (int)(part.First - whole.First));
}
