using FewStep.Data;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Metrics;

/// <summary>What images are compared with, as features of one network: reference images, or statistics of them. Owns its tensors; dispose it.</summary>
public sealed class MetricReference : IDisposable
{
    private readonly FeatureCollector? _features;
    private readonly FeatureMoments? _moments;

    private MetricReference(FeatureCollector? features, FeatureMoments? moments, long? images, string hash)
    {
        (_features, _moments, Images, Hash) = (features, moments, images, hash);
    }

    /// <summary>Number of reference images; null where a statistics file does not say, or there is no reference.</summary>
    public long? Images { get; }

    /// <summary>Hash of the reference images, or of the statistics file where it does not say of which images; empty where there is no reference.</summary>
    public string Hash { get; }

    /// <summary>Mean and covariance; null where no metric needs them.</summary>
    internal FeatureStatistics? Statistics => _features?.Statistics ?? _moments?.Statistics;

    /// <summary>Features of the images; null where no metric needs them.</summary>
    internal Tensor? Kept => _features?.Kept;

    /// <summary>No reference: for class scores alone.</summary>
    public static MetricReference None() => new(null, null, null, "");

    /// <summary>Measures reference images, in a random order.</summary>
    /// <param name="images">The images, two or more, of the extractor's shape.</param>
    /// <param name="extractor">The feature network.</param>
    /// <param name="metrics">What they are for.</param>
    /// <param name="options">How metrics are computed.</param>
    /// <param name="batch">Images at a time, 1 or more.</param>
    /// <param name="progress">Told the images done; may be null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>The reference; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">The images do not fit the extractor, are fewer than two, or a feature is not finite.</exception>
    public static MetricReference Measure(
        IImageSet images,
        IFeatureExtractor extractor,
        IReadOnlyCollection<ImageMetric> metrics,
        MetricOptions options,
        int batch,
        IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var needed = metrics.Where(m => m != ImageMetric.ClassScore).ToList();
        if (needed.Count == 0)
        {
            return None();
        }

        if (images.Count < 2)
        {
            throw new InvalidInputException($"A reference needs 2 or more images; the set has {images.Count}.");
        }

        var features = new FeatureCollector(extractor, needed, images.Count, options);
        try
        {
            ImageFeatures.ForEach(images, ShuffledImages.Order(images, options.Seed), extractor, batch, "features of reference images", (_, f) => features.Add(f), progress, cancellation);
            return new MetricReference(features, null, images.Count, images.Hash);
        }
        catch
        {
            features.Dispose();
            throw;
        }
    }

    /// <summary>Takes statistics from a file.</summary>
    /// <param name="path">An <c>.npz</c> with <c>mu</c> and <c>sigma</c>, see <see cref="FeatureMoments"/>.</param>
    /// <param name="extractor">The feature network of the images that will be compared.</param>
    /// <param name="metrics">What it is for: no metric that compares single images.</param>
    /// <returns>The reference; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">The file is invalid, of other features, or does not suffice.</exception>
    public static MetricReference FromFile(string path, IFeatureExtractor extractor, IReadOnlyCollection<ImageMetric> metrics)
    {
        if (metrics.Contains(ImageMetric.Kernel) || metrics.Contains(ImageMetric.Neighbours))
        {
            throw new InvalidInputException($"{path} holds statistics, which suffice for a Fréchet distance; kid and prdc need the reference images themselves.");
        }

        if (FeatureMoments.Dimension(path) is var dimension && dimension != extractor.Dimension)
        {
            throw Other($"{dimension} features, not {extractor.Dimension}");
        }

        var moments = FeatureMoments.Read(path);
        if (moments.ExtractorHash is { } hash && hash != extractor.Hash)
        {
            moments.Dispose();
            throw Other("features of other weights");
        }

        InvalidInputException Other(string what) => new($"{path} holds statistics of {what} as {extractor.Name} needs; make them anew with: fewstep data stats.");
        return new MetricReference(null, moments, moments.Count, moments.ImageSetHash ?? FileHash(path));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _features?.Dispose();
        _moments?.Dispose();
    }

    private static string FileHash(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(stream));
    }
}
