using FewStep.Data;

namespace FewStep.Metrics;

/// <summary>Measures stored images: all together, and disjoint random subsets for the spread.</summary>
internal static class StoredImagesMeasurement
{
    public static IReadOnlyList<StoredFigure> Measure(IReadOnlyList<IMetric> metrics, IImageSet images, int subsets, long seed, int batch,
        IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(subsets, 1);
        int size = images.Count / subsets;
        if (images.Count < 2 || size < 2)
        {
            throw new InvalidInputException(
                $"{images.Count} images cannot be measured in {subsets} subset{(subsets == 1 ? "" : "s")} of 2 or more.");
        }

        var parts = new List<IReadOnlyList<MetricValue>>();
        var whole = Begin(images.Count);
        var part = subsets > 1 ? Begin(size) : null;
        int inPart = 0;
        try
        {
            new ImageTensors(images)
                .ForEach(EpochShuffle.Order(images, seed), batch, "features of images", (_, all) => Take(all), progress, cancellation);
            var values = Finish(whole);
            return
            [
                .. metrics.SelectMany(m => m.Figures)
                    .Select((figure, i) => new StoredFigure(figure, values[i], size, [.. parts.Select(p => p[i].Value)])),
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
internal sealed record StoredFigure(MetricFigure Figure, MetricValue Whole, int PartImages, IReadOnlyList<double> Parts);
