using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FewStep.Metrics;
using FewStep.Platform;
using FewStep.Sampling;

namespace FewStep.Experiments;

/// <summary>Samples seed ranges under many combinations of weights, schedule and solver and measures each by several metrics, on one or more feature networks at once.</summary>
/// <param name="evaluations">The metrics, one evaluation a feature network; at least one.</param>
/// <param name="ranges">Disjoint seed ranges of one size.</param>
public sealed class SampledMetrics(IReadOnlyList<MetricEvaluation> evaluations, IReadOnlyList<SeedRange> ranges)
{
    /// <summary>Where finished ranges are kept; default: in memory.</summary>
    public ImageMetricsStore Store { get; init; } = ImageMetricsStore.InMemory();

    /// <summary>Images sampled at a time, 1 or more; default 100.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>Measures what is not stored yet.</summary>
    /// <param name="cells">The combinations, in the order of the result.</param>
    /// <param name="progress">Told the images sampled; may be null.</param>
    /// <param name="cancellation">Stops between solver steps; finished ranges stay stored.</param>
    /// <exception cref="InvalidInputException">A schedule leaves the model's range, shapes differ, a sample is not finite, or there are too few images for a metric.</exception>
    public IReadOnlyList<ImageMetricsRow> Run(IReadOnlyList<ComparisonCell> cells, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(cells);
        foreach (var cell in cells)
        {
            Check(cell);
        }

        long total = (from cell in cells from range in ranges let key = Key(cell, range) where Store.Find(key) is null select key).Distinct().Count() * (long)ranges[0].Count, done = 0;
        var rows = new List<ImageMetricsRow>();
        foreach (var cell in cells)
        {
            var measured = new List<StoredImageMetrics>();
            foreach (var range in ranges)
            {
                string key = Key(cell, range);
                var known = Store.Find(key);
                if (known is null)
                {
                    known = Measure(cell, range, key, images => progress?.Report(new WorkProgress("samples", done += images, total, "img", cell.ToString())), cancellation);
                    Store.Add(known);
                }

                measured.Add(known);
            }

            var figures = evaluations.SelectMany((evaluation, e) => evaluation.Figures([.. measured.Select(m => m.Values[e])])).ToList();
            rows.Add(new ImageMetricsRow(cell.ToString(), figures, null, cell.Schedule.Steps, measured.Average(m => (double)m.NetworkEvaluations / ranges[0].Count)));
        }

        return rows;
    }

    private StoredImageMetrics Measure(ComparisonCell cell, SeedRange range, string key, Action<int> sampled, CancellationToken cancellation)
    {
        var measurements = evaluations.Select(e => e.Begin(range.Count)).ToList();
        try
        {
            long evaluated = 0;
            var sampler = new BatchSampler(new SamplingLoop(cell.Denoiser, cell.Solver, cell.Schedule)) { BatchSize = BatchSize };
            foreach (long[] seeds in range.Batches(BatchSize))
            {
                using var batch = sampler.Sample(seeds, cancellationToken: cancellation).Single();
                measurements.ForEach(m => m.Add(batch.Images));
                evaluated += batch.Evaluations;
                sampled(seeds.Length);
            }

            return new StoredImageMetrics(key, [.. measurements.Select(m => m.Finish(cancellation))], evaluated);
        }
        finally
        {
            measurements.ForEach(m => m.Dispose());
        }
    }

    private string Key(ComparisonCell cell, SeedRange range)
    {
        string seeds = string.Create(CultureInfo.InvariantCulture, $"{range.First} {range.Count}");
        string what = string.Join('\n', evaluations.Select(e => e.Identity).Prepend(EvaluationStore.ImagesKey(cell, seeds)));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(what)));
    }

    private void Check(ComparisonCell cell)
    {
        ScheduleRange.Check(cell.Schedule, cell.ScheduleName, cell.Denoiser);
        if (evaluations.FirstOrDefault(e => e.Extractor.Shape != cell.Denoiser.Shape) is { } other)
        {
            throw new InvalidInputException($"The model makes images of {cell.Denoiser.Shape}; the features of '{other.Extractor.Name}' need {other.Extractor.Shape}.");
        }
    }
}
