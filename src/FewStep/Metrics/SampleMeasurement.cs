using FewStep.Data;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Metrics;

/// <summary>Takes the sampled images of one set, batch by batch, and measures them. Owns the gathered features; dispose it.</summary>
/// <remarks>Samples are clipped and rounded to 8 bits first (<see cref="PixelScale.RoundTrip"/>): the figures are those of the images a user would save.</remarks>
public sealed class SampleMeasurement : IDisposable
{
    private readonly MetricEvaluation _evaluation;
    private readonly IFeatureExtractor _extractor;
    private readonly FeatureCollector _features;

    internal SampleMeasurement(MetricEvaluation evaluation, IFeatureExtractor extractor, FeatureCollector features)
    {
        (_evaluation, _extractor, _features) = (evaluation, extractor, features);
    }

    /// <summary>Adds a batch.</summary>
    /// <param name="images">[B,C,H,W], any floating type, nominally in [-1,1]; not changed and not disposed.</param>
    /// <exception cref="InvalidInputException">A sample or a feature is not finite.</exception>
    public void Add(Tensor images)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _features.Add(_extractor.Extract(PixelScale.RoundTrip(images)));
    }

    /// <summary>The figures of all images added.</summary>
    /// <param name="cancellation">Stops between metrics and blocks.</param>
    /// <exception cref="InvalidInputException">There are too few images for a metric.</exception>
    public IReadOnlyList<ImageMetricValue> Finish(CancellationToken cancellation = default) => _evaluation.Values(_features, cancellation);

    /// <inheritdoc/>
    public void Dispose() => _features.Dispose();
}
