using System.Globalization;
using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Metrics;

/// <summary>Feature statistics of real images, with the hashes that say of which images and by which network. Owns the statistics; dispose it.</summary>
public sealed class ReferenceStatistics : IDisposable
{
    private const string Format = "fewstep-feature-statistics-1";

    private ReferenceStatistics(FeatureStatistics statistics, string imageSetHash, string extractorHash)
    {
        (Statistics, ImageSetHash, ExtractorHash) = (statistics, imageSetHash, extractorHash);
    }

    /// <summary>Count, mean and covariance; owned here.</summary>
    public FeatureStatistics Statistics { get; }

    /// <summary>Hash of the image set.</summary>
    public string ImageSetHash { get; }

    /// <summary>Hash of the feature network.</summary>
    public string ExtractorHash { get; }

    /// <summary>Measures the statistics of all images of a set.</summary>
    /// <param name="images">The images, at least two, of the extractor's shape.</param>
    /// <param name="extractor">The feature network.</param>
    /// <param name="batch">Images at a time, 1 or more. Default 250.</param>
    /// <param name="progress">Told the images done; may be null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>The statistics; the caller owns them.</returns>
    /// <exception cref="InvalidInputException">The images do not fit the extractor, or a feature is not finite.</exception>
    public static ReferenceStatistics Measure(IImageSet images, IFeatureExtractor extractor, int batch = 250, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(extractor);
        var statistics = new FeatureStatistics(extractor.Dimension);
        try
        {
            ImageFeatures.Add(statistics, images, [.. Enumerable.Range(0, images.Count)], extractor, batch, progress, cancellation);
            return statistics.Count >= 2
                ? new(statistics, images.Hash, extractor.Hash)
                : throw new InvalidInputException($"Reference statistics need 2 or more images; the set has {images.Count}.");
        }
        catch
        {
            statistics.Dispose();
            throw;
        }
    }

    /// <summary>Reads the statistics from a file if it was made of these images by this extractor; measures them and writes the file otherwise.</summary>
    /// <param name="path">Statistics file (safetensors), a cache: a stale one is replaced.</param>
    /// <param name="images">The images.</param>
    /// <param name="extractor">The feature network.</param>
    /// <param name="progress">Told the images done; may be null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>The statistics; the caller owns them.</returns>
    /// <exception cref="InvalidInputException">The file exists and is invalid, or the images do not fit the extractor.</exception>
    public static ReferenceStatistics LoadOrMeasure(string path, IImageSet images, IFeatureExtractor extractor, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(extractor);
        if (File.Exists(path))
        {
            var stored = Load(path);
            if (stored.ImageSetHash == images.Hash && stored.ExtractorHash == extractor.Hash && stored.Statistics.Dimension == extractor.Dimension)
            {
                return stored;
            }

            stored.Dispose();
        }

        var measured = Measure(images, extractor, progress: progress, cancellation: cancellation);
        measured.Save(path);
        return measured;
    }

    /// <summary>Reads a statistics file.</summary>
    /// <param name="path">A file that <see cref="Save"/> wrote.</param>
    /// <returns>The statistics; the caller owns them.</returns>
    /// <exception cref="InvalidInputException">It is missing or invalid.</exception>
    public static ReferenceStatistics Load(string path)
    {
        var (tensors, metadata) = SafetensorsFile.Read(path);
        try
        {
            if (metadata.GetValueOrDefault("format") != Format
                || !tensors.TryGetValue("mean", out var mean)
                || !tensors.TryGetValue("covariance", out var covariance)
                || !mean.is_floating_point()
                || !covariance.is_floating_point()
                || !long.TryParse(metadata.GetValueOrDefault("count"), NumberStyles.None, CultureInfo.InvariantCulture, out long count)
                || metadata.GetValueOrDefault("images") is not { } images
                || metadata.GetValueOrDefault("extractor") is not { } extractor)
            {
                throw new InvalidInputException($"{path} holds no feature statistics of format {Format}; delete it to have them measured again.");
            }

            return new(FeatureStatistics.FromMoments(count, mean, covariance), images, extractor);
        }
        finally
        {
            foreach (var value in tensors.Values)
            {
                value.Dispose();
            }
        }
    }

    /// <summary>Writes a statistics file, whole or not at all.</summary>
    /// <param name="path">Target.</param>
    /// <exception cref="InvalidInputException">It cannot be written.</exception>
    public void Save(string path)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor> { ["mean"] = Statistics.Mean(), ["covariance"] = Statistics.Covariance() };
        var metadata = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["count"] = Statistics.Count.ToString(CultureInfo.InvariantCulture),
            ["images"] = ImageSetHash,
            ["extractor"] = ExtractorHash,
        };
        SafetensorsFile.Write(path, tensors, metadata);
    }

    /// <inheritdoc/>
    public void Dispose() => Statistics.Dispose();
}
