using FewStep.Data;

namespace FewStep.Metrics;

/// <summary>What real images differ from the reference by: metrics of disjoint random subsets of them, usually of training images. A
/// sampler near it is as close as other real images are.</summary>
internal sealed record RealFloor(IReadOnlyDictionary<string, SeedRangeSpread> Figures, int Images, int Subsets, string? Remark)
{
    private const int Batch = 250;

    /// <summary>Measures the metrics that compare with real images.</summary>
    public static RealFloor Measure(IReadOnlyList<IMetric> metrics, IImageSet? training, int images, int ranges, long seed,
        IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        IMetric[] comparing = [.. metrics.Where(m => m.ComparesWithRealImages)];
        if (comparing.Length == 0)
            return None(null);
        var subsets = training is null ? null : RealSubsets.Choose(training, images, ranges, seed);
        if (subsets is null || subsets.Indices.Count == 0)
        {
            string reason = training is null
                ? "there are no real images beside the reference"
                : FormattableString.Invariant($"there are only {training.Count:N0} training images for subsets of {images:N0}");
            return None($"The floor of the metric was not measured: {reason}.");
        }

        var values = subsets.Indices.Select(subset => Measure(comparing, training!, subset, progress, cancellation)).ToList();
        var figures = comparing.SelectMany(m => m.Figures)
            .Select((f, i) => (f.Key, Spread: SeedRangeSpread.Of([.. values.Select(v => v[i])])));
        return new(figures.ToDictionary(f => f.Key, f => f.Spread), images, values.Count, About(training!, subsets, images, ranges));
    }

    private static RealFloor None(string? remark) => new(new Dictionary<string, SeedRangeSpread>(), 0, 0, remark);

    private static double[] Measure(
        IMetric[] metrics, IImageSet images, int[] subset, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var measurements = metrics.Select(m => m.Begin(subset.Length, null)).ToList();
        try
        {
            new ImageTensors(images).ForEach(
                subset, Batch, "features of real images", (_, batch) => measurements.ForEach(m => m.Add(batch)), progress, cancellation);
            return [.. measurements.SelectMany(m => m.Finish(cancellation)).Select(v => v.Value)];
        }
        finally
        {
            measurements.ForEach(m => m.Dispose());
        }
    }

    private static string? About(IImageSet training, RealSubsets subsets, int images, int ranges)
    {
        string? unbalanced = subsets.Balanced || training.Classes == 0 ? null
            : "are not balanced by class as the samples are, for the set holds too few images of a class.";
        int count = subsets.Indices.Count;
        string? few = count == ranges ? null : string.Create(CultureInfo.InvariantCulture,
            $"The floor of the metric is the mean of {count} disjoint subset{(count == 1 ? "" : "s")} of {images:N0} training images, "
                + $"not of {ranges}: the set holds {training.Count:N0}.");
        return (few, unbalanced) switch
        {
            (_, null) => few,
            (null, _) => $"The subsets of the metric's floor {unbalanced}",
            _ => $"{few} Its subsets {unbalanced}",
        };
    }
}
