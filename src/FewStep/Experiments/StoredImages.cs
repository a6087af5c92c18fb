using FewStep.Data;
using FewStep.Metrics;

namespace FewStep.Experiments;

/// <summary>Measures images that somebody stored, whoever made them.</summary>
internal static class StoredImages
{
    /// <summary>Measures all of them together, and disjoint subsets for the spread.</summary>
    public static Summary Measure(
        IImageSet images, string name, IReadOnlyList<string> metrics, MetricContext context, ExperimentOptions options,
        IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        options.Check();
        var started = DateTimeOffset.UtcNow;
        var opened = MetricCatalog.Open(metrics, context);
        var figures = StoredImagesMeasurement.Measure(
            opened, images, options.Ranges, options.Seed, options.BatchSize, progress, cancellation);
        var reference = context.RealImages?.Invoke();
        return new Summary
        {
            Title = options.Title,
            Axis = ComparisonAxis.Steps,
            ShownNumber = 0,
            Data = reference is null ? null : new DataSummary(options.DataName ?? name, null, reference.Hash, 0, reference.Count),
            Figures = [.. figures.Select(f => FigureSummary.Of(f.Figure))],
            Trials =
            [
                new TrialSummary
                {
                    Name = name,
                    Number = 0,
                    ImagesHash = images.Hash,
                    Figures = figures.ToDictionary(f => f.Figure.Key, Values),
                    Seconds = (DateTimeOffset.UtcNow - started).TotalSeconds,
                },
            ],
            Manifest = RunEnvironment.Manifest(started, options.Seed, null),
            Warnings = [.. context.Remarks],
        };
    }

    private static FigureValues Values(StoredFigure figure) => new(
        [.. figure.Parts.Select((value, i) => new RangeValue(i, figure.PartImages, value))], figure.Whole.InnerDeviation,
        figure.Whole.Value);
}
