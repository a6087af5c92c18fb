using FewStep.Metrics;
using FewStep.Sampling;

namespace FewStep.Experiments;

/// <summary>Measures trials range by range, so that an interrupted experiment has all trials on the first ranges.</summary>
internal sealed class TrialMeasurement(
    IReadOnlyList<IMetric> metrics, MeasurementStore store, ExperimentOptions options, Func<Trial, int> cost)
{
    private readonly Dictionary<string, string> _failures = [];
    private readonly string[] _identities = [.. metrics.Select(m => Sha256.Of(m.Identity))];

    /// <summary>Why a trial could not be measured, in a sentence; null where it could.</summary>
    public string? Failure(Trial trial) => _failures.GetValueOrDefault(trial.ImagesKey(""));

    /// <summary>What determines the metrics' figures beside the images, hashed.</summary>
    public IReadOnlyList<string> Identities => _identities;

    /// <summary>Notes that a trial cannot be measured.</summary>
    public void Fail(Trial trial, string reason) => _failures[trial.ImagesKey("")] = reason;

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
        var ordered = Ordered(trials);
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
            catch (InvalidInputException e) when (!e.IsOfStorage)
            {
                Fail(trial, e.Message); // one combination that diverges must not cost the others
            }
        }
    }

    /// <summary>Trials of different images in the order in which they are measured: a teacher whose images others are compared with comes
    /// first.</summary>
    public List<Trial> Ordered(IReadOnlyList<Trial> trials) =>
        [.. trials.OrderBy(t => t.Role != TrialRole.Teacher || options.Endpoints is null).DistinctBy(t => t.ImagesKey(""))];

    /// <summary>Measures a trial on a range with all metrics.</summary>
    public MeasuredRange Measure(Trial trial, SeedRange range, Action<int> sampled, CancellationToken cancellation)
        => Measure(trial, range, [.. Enumerable.Range(0, metrics.Count)], sampled, cancellation);

    /// <summary>Measures a trial on some consecutive images of a range.</summary>
    /// <returns>What the metrics keep of them, which belongs to the current dispose scope; evaluations, and seconds.</returns>
    public (IReadOnlyList<IReadOnlyDictionary<string, Tensor>> Sums, long Evaluations, double Seconds) MeasurePart(
        Trial trial, SeedRange whole, SeedRange part, Action<int> sampled, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        var measurements = Joinable(whole, part);
        try
        {
            long evaluations = Take(trial, part, measurements, sampled, cancellation);
            return ([.. measurements.Select(m => m.Sums())], evaluations, watch.Elapsed.TotalSeconds);
        }
        finally
        {
            measurements.ForEach(m => m.Dispose());
        }
    }

    /// <summary>Joins what the metrics kept of the parts of a range, in the order of the seeds.</summary>
    public MeasuredRange Join(
        Trial trial, SeedRange range, IEnumerable<(IReadOnlyList<IReadOnlyDictionary<string, Tensor>> Sums, long Evaluations,
            double Seconds)> parts, CancellationToken cancellation)
    {
        var measurements = Joinable(range, range);
        try
        {
            var (evaluations, seconds) = (0L, 0.0);
            foreach (var part in parts)
            {
                foreach (var (measurement, sums) in measurements.Zip(part.Sums))
                    measurement.Join(sums);
                evaluations += part.Evaluations;
                seconds += part.Seconds;
            }

            var figures = _identities.Zip(measurements).ToDictionary(m => m.First, m => m.Second.Finish(cancellation));
            return new MeasuredRange(
                trial.ImagesKey(range, options.BatchSize), trial.ToString(), range.First, range.Count, evaluations, seconds, figures);
        }
        finally
        {
            measurements.ForEach(m => m.Dispose());
        }
    }

    private List<IJoinableMeasurement> Joinable(SeedRange whole, SeedRange part) =>
        [.. metrics.Select(m => m is IJoinableMetric joinable ? joinable.Begin(whole, part) : throw new InvalidInputException(
            $"The metric {m.Figures[0].Key} cannot be measured on parts of a range; leave it out, or take fewer shards."))];

    private long Evaluations(Trial trial, SeedRange range) => (long)range.Count * cost(trial);

    /// <summary>The metrics that a trial is not measured by yet on a range, by number.</summary>
    public int[] Missing(Trial trial, SeedRange range)
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
            long evaluations = Take(trial, range, measurements, sampled, cancellation);
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

    private long Take<T>(Trial trial, SeedRange range, List<T> measurements, Action<int> sampled, CancellationToken cancellation)
        where T : IMetricMeasurement
    {
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

        return evaluations;
    }

    private IEnumerable<(Tensor Images, long Evaluations)> Batches(
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
