using System.Globalization;
using FewStep.Data;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Metrics;

/// <summary>Measures images, sampled or stored, by several metrics on the features of one network.</summary>
/// <param name="extractor">The feature network; not owned.</param>
/// <param name="reference">What to compare with, by the same network and for the same metrics; not owned.</param>
/// <param name="metrics">The metrics.</param>
/// <param name="options">How they are computed.</param>
public sealed class MetricEvaluation(IClassScorer extractor, MetricReference reference, IReadOnlyCollection<ImageMetric> metrics, MetricOptions options)
{
    /// <summary>The feature network; not owned.</summary>
    public IClassScorer Extractor => extractor;

    /// <summary>What tells this measurement from all others, as text: weights, reference, metrics and options.</summary>
    public string Identity => string.Create(
        CultureInfo.InvariantCulture,
        $"{extractor.Hash} {reference.Hash} {string.Join(',', metrics.Order())} {options.KernelSubsets} {options.KernelSubsetSize} {options.ManifoldNeighbours} {options.CoverageNeighbours} {options.ScoreSplits} {options.KeptImages} {options.Seed}");

    /// <summary>Measures stored images: all together, and disjoint random subsets for the spread.</summary>
    /// <param name="images">The images, of the extractor's shape.</param>
    /// <param name="subsets">Number of disjoint subsets, 1 or more; 1 leaves the spread out.</param>
    /// <param name="batch">Images at a time, 1 or more.</param>
    /// <param name="progress">Told the images done; may be null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="InvalidInputException">The images do not fit the extractor, are too few, or a feature is not finite.</exception>
    public IReadOnlyList<ImageMetricFigure> Measure(IImageSet images, int subsets, int batch, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(subsets, 1);
        int size = images.Count / subsets;
        if (images.Count < 2 || size < 2)
        {
            throw new InvalidInputException($"{images.Count} images cannot be measured in {subsets} subset{(subsets == 1 ? "" : "s")} of 2 or more.");
        }

        using var whole = Collector(images.Count);
        var parts = new List<IReadOnlyList<ImageMetricValue>>();
        var part = subsets > 1 ? Collector(size) : null;
        try
        {
            ImageFeatures.ForEach(images, ShuffledImages.Order(images, options.Seed), extractor, batch, "features of images", (done, features) => Take(done, features), progress, cancellation);
        }
        finally
        {
            part?.Dispose();
        }

        return Figures(Values(whole, cancellation), parts, size);

        void Take(int done, Tensor features)
        {
            whole.Add(features);
            for (long from = 0; from < features.shape[0] && part is not null;)
            {
                long count = Math.Min(features.shape[0] - from, size - part.Count);
                using var slice = features.narrow(0, from, count);
                part.Add(slice);
                from += count;
                if (part.Count == size)
                {
                    parts.Add(Values(part, cancellation));
                    part.Dispose();
                    part = parts.Count < subsets ? Collector(size) : null;
                }
            }
        }
    }

    /// <summary>Starts the measurement of one set of sampled images.</summary>
    /// <param name="images">Images that will come.</param>
    /// <returns>Takes the images; the caller owns it.</returns>
    public SampleMeasurement Begin(int images) => new(this, extractor, Collector(images));

    /// <summary>The figures of several disjoint sets of one size: their mean and spread.</summary>
    /// <param name="ranges">The values of each set, see <see cref="SampleMeasurement.Finish"/>; at least one.</param>
    public IReadOnlyList<ImageMetricFigure> Figures(IReadOnlyList<IReadOnlyList<ImageMetricValue>> ranges)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        if (ranges.Count == 0)
        {
            throw new ArgumentException("There must be at least one range.", nameof(ranges));
        }

        var means = ranges[0].Select((first, i) => ranges.Count == 1 ? first : first with { Value = ranges.Average(r => r[i].Value), InnerDeviation = null }).ToList();
        return Figures(means, ranges, (int)ranges[0][0].Images);
    }

    internal IReadOnlyList<ImageMetricValue> Values(FeatureCollector set, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var values = new List<ImageMetricValue>();
        string on = $"({extractor.FeatureName})";
        foreach (var metric in metrics.Order())
        {
            cancellation.ThrowIfCancellationRequested();
            switch (metric)
            {
                case ImageMetric.Frechet:
                    values.Add(new(metric, extractor.Name, FrechetDistance.Between(set.Statistics!, reference.Statistics!), set.Count, false));
                    break;
                case ImageMetric.Kernel:
                    var (distance, deviation) = KernelDistance.Between(set.Kept!, reference.Kept!, options.KernelSubsets, options.KernelSubsetSize, options.Seed, cancellation);
                    values.Add(new(metric, $"{(extractor is InceptionFeatures ? "KID" : "KD")} {on}", distance, set.Kept!.shape[0], false, deviation));
                    break;
                case ImageMetric.Neighbours:
                    var neighbours = NeighbourMetrics.Between(reference.Kept!, set.Kept!, options.ManifoldNeighbours, options.CoverageNeighbours, cancellation);
                    long kept = set.Kept!.shape[0];
                    values.Add(new(metric, $"precision {on}", neighbours.Precision, kept, true));
                    values.Add(new(metric, $"recall {on}", neighbours.Recall, kept, true));
                    values.Add(new(metric, $"density {on}", neighbours.Density, kept, true));
                    values.Add(new(metric, $"coverage {on}", neighbours.Coverage, kept, true));
                    break;
                default:
                    var (score, spread) = set.Score!.Value();
                    values.Add(new(metric, $"{(extractor is InceptionFeatures ? "Inception score" : "class score")} {on}", score, set.Count, true, spread));
                    break;
            }
        }

        return values;
    }

    private FeatureCollector Collector(int images) => new(extractor, metrics, images, options);

    private IReadOnlyList<ImageMetricFigure> Figures(IReadOnlyList<ImageMetricValue> values, IReadOnlyList<IReadOnlyList<ImageMetricValue>> ranges, int rangeImages) =>
    [
        .. values.Select((value, i) =>
        {
            double[] each = [.. ranges.Select(r => r[i].Value)];
            bool compares = value.Metric != ImageMetric.ClassScore;
            return new ImageMetricFigure(
                value.Metric,
                value.Name,
                value.Value,
                value.Images,
                value.HigherIsBetter,
                each,
                rangeImages,
                extractor.Hash,
                each.Length > 1 ? SeedRangeSpread.Of(each).StandardDeviation : null,
                value.InnerDeviation,
                compares ? reference.Images : null,
                compares ? reference.Hash : null);
        }),
    ];
}
