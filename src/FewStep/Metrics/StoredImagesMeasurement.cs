using FewStep.Data;
using FewStep.Platform;

namespace FewStep.Metrics;

/// <summary>Measures stored images: all together, and disjoint random subsets for the spread.</summary>
internal static class StoredImagesMeasurement
{
    /// <summary>Measures.</summary>
    /// <param name="metrics">The metrics.</param>
    /// <param name="images">The images.</param>
    /// <param name="subsets">Number of disjoint subsets, 1 or more; 1 leaves the spread out.</param>
    /// <param name="seed">Seed of the order that subsets are taken from.</param>
    /// <param name="batch">Images at a time, 1 or more.</param>
    /// <param name="progress">Told the images done; may be null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>The metrics' figures in their order.</returns>
    /// <exception cref="InvalidInputException">The images do not fit a metric, are too few, or a feature is not finite.</exception>
    public static IReadOnlyList<StoredFigure> Measure(
        IReadOnlyList<IMetric> metrics,
        IImageSet images,
        int subsets,
        long seed,
        int batch,
        IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(subsets, 1);
        int size = images.Count / subsets;
        if (images.Count < 2 || size < 2)
        {
            throw new InvalidInputException($"{images.Count} images cannot be measured in {subsets} subset{(subsets == 1 ? "" : "s")} of 2 or more.");
        }

        var parts = new List<IReadOnlyList<MetricValue>>();
        var whole = Begin(images.Count);
        var part = subsets > 1 ? Begin(size) : null;
        int inPart = 0;
        try
        {
            new ImageTensors(images).ForEach(ShuffledImages.Order(images, seed), batch, "features of images", (_, all) => Take(all), progress, cancellation);
            var values = Finish(whole);
            return
            [
                .. metrics.SelectMany(m => m.Figures).Select((figure, i) => new StoredFigure(figure, values[i], size, [.. parts.Select(p => p[i].Value)])),
            ];
        }
        finally
        {
            whole.ForEach(m => m.Dispose());
            part?.ForEach(m => m.Dispose());
        }

        List<IMetricMeasurement> Begin(int count) => [.. metrics.Select(m => m.Begin(count, null))];

        IReadOnlyList<MetricValue> Finish(List<IMetricMeasurement> set) => [.. set.SelectMany(m => m.Finish(cancellation))];

        void Take(MeasuredImages all)
        {
            whole.ForEach(m => m.Add(all));
            for (int from = 0; from < all.Count && part is not null;)
            {
                int count = Math.Min(all.Count - from, size - inPart);
                using var some = all.Part(from, count);
                part.ForEach(m => m.Add(some));
                (from, inPart) = (from + count, inPart + count);
                if (inPart == size)
                {
                    parts.Add(Finish(part));
                    part.ForEach(m => m.Dispose());
                    (part, inPart) = (parts.Count < subsets ? Begin(size) : null, 0);
                }
            }
        }
    }
}

/// <summary>A figure of stored images.</summary>
/// <param name="Figure">The figure.</param>
/// <param name="Whole">Of all images together.</param>
/// <param name="PartImages">Images in each subset.</param>
/// <param name="Parts">Of each subset; empty where there is only one set.</param>
internal sealed record StoredFigure(MetricFigure Figure, MetricValue Whole, int PartImages, IReadOnlyList<double> Parts);
