namespace FewStep.Metrics;

/// <summary>Keeps the features of the first images of a set, for metrics that look at single images.</summary>
internal sealed class KeptFeatures(IFeatureExtractor extractor, int images, int most,
    Func<Tensor, CancellationToken, IReadOnlyList<MetricValue>> judge) : IMetricMeasurement
{
    private readonly Tensor _kept = empty([Math.Min(images, most), extractor.Dimension], dtype: ScalarType.Float32)
        .DetachFromDisposeScope();
    private long _count;

    public void Add(MeasuredImages batch)
    {
        using var scope = NewDisposeScope();
        long more = Math.Min(batch.Count, _kept.shape[0] - _count);
        if (more > 0)
        {
            _kept.narrow(0, _count, more).copy_(batch.Features(extractor).narrow(0, 0, more));
            _count += more;
        }
    }

    public IReadOnlyList<MetricValue> Finish(CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        return judge(_kept.narrow(0, 0, _count), cancellation);
    }

    public void Dispose() => _kept.Dispose();
}
