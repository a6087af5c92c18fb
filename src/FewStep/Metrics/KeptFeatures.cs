namespace FewStep.Metrics;

/// <summary>Keeps the features of the first images of a set, for metrics that look at single images.</summary>
/// <param name="skipped">Images that come before those that are measured here.</param>
internal sealed class KeptFeatures(IFeatureExtractor extractor, int images, int most, int skipped,
    Func<Tensor, CancellationToken, IReadOnlyList<MetricValue>> judge) : IJoinableMeasurement
{
    private const string Features = "features";
    private readonly long _first = Math.Min(Math.Min(images, most), skipped);
    private readonly Tensor _kept = empty([Math.Min(images, most), extractor.Dimension], dtype: ScalarType.Float32)
        .DetachFromDisposeScope();
    private long _count = Math.Min(Math.Min(images, most), skipped);

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

    public IReadOnlyDictionary<string, Tensor> Sums() => _count == _first ? new Dictionary<string, Tensor>()
        : new Dictionary<string, Tensor> { [Features] = _kept.narrow(0, _first, _count - _first).clone() };

    public void Join(IReadOnlyDictionary<string, Tensor> sums)
    {
        if (sums.Count == 0)
            return;
        using var scope = NewDisposeScope();
        var more = sums.Sum(Features, ScalarType.Float32, -1, extractor.Dimension);
        if (more.shape[0] > _kept.shape[0] - _count)
            throw new InvalidInputException("A part holds more features than its images have; remove the part and run its shard again.");
        _kept.narrow(0, _count, more.shape[0]).copy_(more);
        _count += more.shape[0];
    }

    public IReadOnlyList<MetricValue> Finish(CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        return judge(_kept.narrow(0, 0, _count), cancellation);
    }

    public void Dispose() => _kept.Dispose();
}
