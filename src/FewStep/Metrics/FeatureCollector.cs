using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Metrics;

/// <summary>Gathers from the features of one set of images what some metrics need. Owns its tensors; dispose it.</summary>
internal sealed class FeatureCollector : IDisposable
{
    private readonly IFeatureExtractor _extractor;
    private readonly Tensor? _kept; // [most, d] float32
    private int _keptCount;

    /// <param name="extractor">The feature network; not owned.</param>
    /// <param name="metrics">The metrics.</param>
    /// <param name="images">Images that will come.</param>
    /// <param name="options">How metrics are computed.</param>
    public FeatureCollector(IFeatureExtractor extractor, IReadOnlyCollection<ImageMetric> metrics, int images, MetricOptions options)
    {
        _extractor = extractor;
        if (metrics.Contains(ImageMetric.Frechet))
        {
            Statistics = new FeatureStatistics(extractor.Dimension);
        }

        if (metrics.Contains(ImageMetric.Kernel) || metrics.Contains(ImageMetric.Neighbours))
        {
            _kept = empty([Math.Min(images, options.KeptImages), extractor.Dimension], dtype: ScalarType.Float32).DetachFromDisposeScope();
        }

        if (metrics.Contains(ImageMetric.ClassScore) && extractor is IClassScorer scorer)
        {
            Score = new ClassScore(scorer.Classes, images, options.ScoreSplits);
        }
    }

    /// <summary>Images added so far.</summary>
    public long Count { get; private set; }

    /// <summary>Mean and covariance; null where no metric needs them.</summary>
    public FeatureStatistics? Statistics { get; }

    /// <summary>Class probabilities; null where no metric needs them.</summary>
    public ClassScore? Score { get; }

    /// <summary>The kept features, a view [n,d] that lives as long as this object does; null where no metric needs them.</summary>
    public Tensor? Kept => _kept?.narrow(0, 0, _keptCount);

    /// <summary>Adds a batch.</summary>
    /// <param name="features">[B,d] of the extractor; not changed and not disposed.</param>
    /// <exception cref="Platform.InvalidInputException">A feature is not finite.</exception>
    public void Add(Tensor features)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (!isfinite(features).all().AsBoolean())
        {
            throw new Platform.InvalidInputException($"A feature of image {Count} to {Count + features.shape[0] - 1} is not finite: the images or the feature network hold NaN or infinity.");
        }

        Statistics?.Add(features);
        if (_kept is not null && Math.Min(features.shape[0], _kept.shape[0] - _keptCount) is > 0 and long more)
        {
            _kept.narrow(0, _keptCount, more).copy_(features.narrow(0, 0, more));
            _keptCount += (int)more;
        }

        Score?.Add(((IClassScorer)_extractor).ClassLogits(features));
        Count += features.shape[0];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Statistics?.Dispose();
        _kept?.Dispose();
        Score?.Dispose();
    }
}
