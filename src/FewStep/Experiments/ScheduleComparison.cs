using FewStep.Metrics;
using FewStep.Noise;
using FewStep.Platform;
using FewStep.Sampling;
using FewStep.Search;

namespace FewStep.Experiments;

/// <summary>Measures many combinations of weights, schedule and solver with the same seeds, and remembers what is done.</summary>
/// <remarks>Every image has its own generator and the label seed mod classes, so the same seed is the same latent under every combination.</remarks>
/// <param name="evaluation">The metric.</param>
/// <param name="ranges">Disjoint seed ranges of one size, of two or more images each.</param>
public sealed class ScheduleComparison(FrechetEvaluation evaluation, IReadOnlyList<SeedRange> ranges)
{
    private static readonly PowerWeighting Power0 = new(PowerWeighting.DefaultPower);
    private static readonly PowerWeighting Power1 = new(PowerWeighting.LiteralPower);

    /// <summary>Where measurements are kept; default: in memory.</summary>
    public EvaluationStore Store { get; init; } = EvaluationStore.InMemory();

    /// <summary>The loss curve that discretization losses are taken on; null (default) for none.</summary>
    public LossCurve? Curve { get; init; }

    /// <summary>Images sampled at a time, 1 or more; default 100. It changes speed and memory, and the images only as far as the network's rounding does.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>Measures what is not stored yet.</summary>
    /// <param name="cells">The combinations, in the order of the result.</param>
    /// <param name="progress">Told the images done of all that are to be sampled; may be null.</param>
    /// <param name="cancellation">Stops between solver steps; finished ranges stay stored.</param>
    /// <exception cref="InvalidInputException">A schedule leaves the model's range, shapes differ, or a sample is not finite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ComparisonResult Run(IReadOnlyList<ComparisonCell> cells, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(cells);
        foreach (var cell in cells)
        {
            Check(cell);
        }

        var keys = cells.Select(cell => ranges.Select(range => EvaluationStore.Key(cell, range, evaluation)).ToArray()).ToArray();
        // The same combination may stand under two names; it is measured once.
        int pending = keys.SelectMany(k => k).Distinct().Count(k => Store.Find(k) is null);
        long total = pending * (long)ranges[0].Count, done = 0;
        var used = new Dictionary<string, MeasuredRange>();
        var summaries = new List<EvaluationSummary>();
        for (int c = 0; c < cells.Count; c++)
        {
            var measured = new List<MeasuredRange>();
            for (int r = 0; r < ranges.Count; r++)
            {
                string key = keys[c][r];
                var known = Store.Find(key);
                if (known is null)
                {
                    known = Measure(cells[c], ranges[r], key, images => progress?.Report(new WorkProgress("comparison", done += images, total, "img", cells[c].ToString())), cancellation);
                    Store.Add(known);
                }

                used[key] = known;
                measured.Add(known);
            }

            summaries.Add(Summarize(cells[c], measured));
        }

        var cost = new LedgerLineSummary("samples of the comparison", used.Values.Sum(m => m.NetworkEvaluations), 0, used.Values.Sum(m => m.Seconds));
        return new ComparisonResult(summaries, cost, pending);
    }

    private void Check(ComparisonCell cell)
    {
        ScheduleRange.Check(cell.Schedule, cell.ScheduleName, cell.Denoiser);
        if (cell.Denoiser.Shape != evaluation.Extractor.Shape)
        {
            throw new InvalidInputException($"The model makes images of {cell.Denoiser.Shape}; the features of '{evaluation.Extractor.Name}' need {evaluation.Extractor.Shape}.");
        }

        if (ranges.Any(r => r.First + r.Count - 1 > Latents.MaximumSeed))
        {
            throw new InvalidInputException($"Image seeds are 0 to {Latents.MaximumSeed}; choose a smaller first seed or fewer images.");
        }
    }

    private MeasuredRange Measure(ComparisonCell cell, SeedRange range, string key, Action<int> sampled, CancellationToken cancellation)
    {
        var measured = new RangeMeasurement(evaluation, BatchSize).Measure(cell, range, null, sampled, cancellation);
        return new MeasuredRange(
            key, cell.ScheduleName, cell.Solver.Name, cell.Schedule.Steps, range.First, range.Count, measured.Distance!.Value, measured.NetworkEvaluations, measured.Seconds, cell.Tuning);
    }

    private EvaluationSummary Summarize(ComparisonCell cell, List<MeasuredRange> measured) => new()
    {
        Schedule = cell.ScheduleName,
        Tuning = cell.Tuning,
        Solver = cell.Solver.Name,
        Steps = cell.Schedule.Steps,
        EvaluationsPerImage = measured.Sum(m => (double)m.NetworkEvaluations) / measured.Sum(m => (double)m.Images),
        LossPower0 = Loss(Power0, cell.Schedule),
        LossPower1 = Loss(Power1, cell.Schedule),
        Distance = new DistanceSummary([.. measured.Select(m => new SeedRangeSummary(m.FirstSeed, m.Images, m.Distance))]),
        Role = cell.Role,
    };

    private EstimateSummary? Loss(PowerWeighting weighting, SamplingSchedule schedule)
    {
        const double rounding = 1e-9;
        // Only sigmas that a step starts from are looked up.
        if (Curve is null || schedule.Sigmas[0] > Curve.Sigmas[^1] * (1 + rounding) || schedule.Sigmas[^2] < Curve.Sigmas[0] * (1 - rounding))
        {
            return null;
        }

        var loss = DiscretizationLoss.Estimate(Curve, weighting, schedule);
        return new EstimateSummary(loss.Value, loss.Low, loss.High);
    }
}

/// <summary>What a comparison found.</summary>
/// <param name="Evaluations">One row a combination, in the order given.</param>
/// <param name="Cost">Network evaluations and seconds of all measurements in the rows, stored ones included.</param>
/// <param name="RangesMeasured">Seed ranges that were sampled now; the others were stored.</param>
public sealed record ComparisonResult(IReadOnlyList<EvaluationSummary> Evaluations, LedgerLineSummary Cost, int RangesMeasured);
