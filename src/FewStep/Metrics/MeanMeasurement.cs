namespace FewStep.Metrics;

/// <summary>A figure that each image has alone: its mean over the images.</summary>
/// <param name="name">What the sums are called where parts are joined.</param>
/// <param name="sum">The sum of a batch's values; told how many images came before.</param>
internal sealed class MeanMeasurement(string name, Func<MeasuredImages, long, double> sum) : IJoinableMeasurement
{
    private double _sum;
    private long _images;

    public void Add(MeasuredImages batch)
    {
        _sum += sum(batch, _images);
        _images += batch.Count;
    }

    public IReadOnlyDictionary<string, Tensor> Sums() => new Dictionary<string, Tensor> { [name] = JoinedSums.Of(_sum, _images) };

    public void Join(IReadOnlyDictionary<string, Tensor> sums)
    {
        double[] more = sums.Sum(name, ScalarType.Float64, 2).data<double>().ToArray();
        _sum += more[0];
        _images += (long)more[1];
    }

    public IReadOnlyList<MetricValue> Finish(CancellationToken cancellation) => [new(_sum / _images)];

    public void Dispose()
    {
        // Holds numbers alone.
    }
}
