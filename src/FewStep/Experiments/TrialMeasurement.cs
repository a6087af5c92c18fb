using FewStep.Metrics;
using FewStep.Sampling;

namespace FewStep.Experiments;

/// <summary>Measures trials range by range, so that an interrupted experiment has all trials on the first ranges.</summary>
internal sealed class TrialMeasurement(
    IReadOnlyList<IMetric> metrics, MeasurementStore store, ExperimentOptions options, Func<Trial, int> cost)
{
    private readonly Dictionary<string, string> _failures = [];
    private readonly string[] _identities = [.. metrics.Select(m => Trial.Hash(m.Identity))];

    /// <summary>Why a trial could not be measured, in a sentence; null where it could.</summary>
    public string? Failure(Trial trial) => _failures.GetValueOrDefault(trial.ImagesKey(""));

    /// <summary>The measurements of a trial, one a range.</summary>
    public IReadOnlyList<MeasuredRange> Of(Trial trial)
        => [.. options.SeedRanges.Select(r => store.Find(trial.ImagesKey(r, options.BatchSize))).OfType<MeasuredRange>()];

    /// <summary>The values of one figure of a metric, one a range.</summary>
    public FigureValues Figure(Trial trial, int metric, int figure)
    {
        var ranges = Of(trial);
        var values = ranges.Select(r => r.Figures[_identities[metric]][figure]).ToList();
        return new FigureValues(
            [.. ranges.Zip(values, (r, v) => new RangeValue(r.FirstSeed, r.Images, v.Value))],
            values.Count == 1 ? values[0].InnerDeviation : null);
    }

    public void Run(IReadOnlyList<Trial> trials, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        // A teacher whose images others are compared with comes first.
        var ordered = trials.OrderBy(t => t.Role != TrialRole.Teacher || options.Endpoints is null).DistinctBy(t => t.ImagesKey(""))
            .ToList();
        var jobs = options.SeedRanges.SelectMany(r => ordered.Where(t => Missing(t, r).Length > 0).Select(t => (Range: r, Trial: t)))
            .ToList();
        long total = jobs.Sum(j => Evaluations(j.Trial, j.Range)), done = 0;
        foreach (var (range, trial) in jobs)
        {
            if (Failure(trial) is not null)
            {
                total -= Evaluations(trial, range);
                continue;
            }

            void Sampled(int images) => progress?.Report(
                new WorkProgress("comparison", done += (long)images * cost(trial), total, "evaluations", $"{trial}, {range}"));
            try
            {
                store.Add(Measure(trial, range, Missing(trial, range), Sampled, cancellation));
            }
            catch (InvalidInputException e)
            {
                _failures[trial.ImagesKey("")] = e.Message; // one combination that diverges must not cost the others
            }
        }
    }

    private long Evaluations(Trial trial, SeedRange range) => (long)range.Count * cost(trial);

    private int[] Missing(Trial trial, SeedRange range)
    {
        var known = store.Find(trial.ImagesKey(range, options.BatchSize));
        return [.. Enumerable.Range(0, metrics.Count).Where(m => known?.Figures.ContainsKey(_identities[m]) != true)];
    }

    private MeasuredRange Measure(Trial trial, SeedRange range, int[] missing, Action<int> sampled, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        var measurements = new List<IMetricMeasurement>();
        try
        {
            foreach (int m in missing)
                measurements.Add(metrics[m].Begin(range.Count, range));
            long evaluations = 0;
            foreach (var (images, spent) in Batches(trial, range, sampled, cancellation))
            {
                using (images)
                {
                    using var batch = new MeasuredImages(images, trial.Model.Autoencoder);
                    measurements.ForEach(m => m.Add(batch));
                    evaluations += spent;
                }
            }

            var figures = missing.Zip(measurements).ToDictionary(m => _identities[m.First], m => m.Second.Finish(cancellation));
            return new MeasuredRange(
                trial.ImagesKey(range, options.BatchSize), trial.ToString(), range.First, range.Count, evaluations,
                watch.Elapsed.TotalSeconds, figures);
        }
        finally
        {
            measurements.ForEach(m => m.Dispose());
        }
    }

    private IEnumerable<(TorchSharp.torch.Tensor Images, long Evaluations)> Batches(
        Trial trial, SeedRange range, Action<int> sampled, CancellationToken cancellation)
    {
        if (trial.Role == TrialRole.Teacher && options.Endpoints is { } endpoints)
        {
            var known = endpoints.Get(range, sampled, cancellation);
            long perImage = known.NetworkEvaluations / range.Count;
            foreach (long[] seeds in range.Batches(options.BatchSize))
                yield return (known.Images.narrow(0, seeds[0] - range.First, seeds.Length), perImage * seeds.Length);
            yield break;
        }

        var sampler = new BatchSampler(new SamplingLoop(trial.Model.Denoiser, trial.Sampler.Solver, trial.Sampler.Schedule))
        { BatchSize = options.BatchSize };
        foreach (long[] seeds in range.Batches(options.BatchSize))
        {
            var batch = sampler.Sample(seeds, cancellationToken: cancellation).Single();
            batch.Labels?.Dispose();
            sampled(seeds.Length);
            yield return (batch.Images, batch.Evaluations);
        }
    }
}
