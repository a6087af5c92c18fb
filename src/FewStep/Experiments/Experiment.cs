using FewStep.Experiments;
using FewStep.Metrics;
using FewStep.Search;

namespace FewStep;

/// <summary>Measures trials by metrics, all on the same latents, and says how sure the differences are.</summary>
/// <remarks>
/// Every image has its own generator and the label seed mod classes, so the same seed is the same latent in every trial. What is done lies
/// in the folder: a repeated call does what is missing.
/// </remarks>
public sealed class Experiment
{
    private static readonly PowerWeighting Power0 = new(PowerWeighting.DefaultPower), Power1 = new(PowerWeighting.LiteralPower);
    private readonly ExperimentOptions _options;
    private readonly Dictionary<(string, int, Noise.ScheduleTerminal), int> _costs = [];

    /// <summary>Prepares an experiment; nothing is written.</summary>
    /// <param name="options">How to sample.</param>
    /// <exception cref="InvalidInputException">Options are out of range; the message names them all.</exception>
    public Experiment(ExperimentOptions? options = null)
    {
        _options = options ?? new ExperimentOptions();
        _options.Check();
    }

    /// <summary>Measures what is not measured yet.</summary>
    /// <param name="trials">The trials, in the order of the summary; all of models of one image shape.</param>
    /// <param name="metrics">The metrics, the headline's first; not owned.</param>
    /// <param name="progress">Told how each stage comes along.</param>
    /// <param name="cancellation">Stops; finished ranges stay stored.</param>
    /// <returns>Figures with spread and verdicts, pictures, costs. A trial that diverges is left out and named.</returns>
    /// <exception cref="InvalidInputException">A schedule leaves its model's noise levels, shapes differ, or no trial could be
    /// measured.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Summary Run(
        IReadOnlyList<Trial> trials, IReadOnlyList<IMetric> metrics, IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default) => RunStage(trials, metrics, progress, cancellation)!;

    /// <summary>The same, or the stage of it that the options name.</summary>
    /// <returns>The summary; null after one share of the work.</returns>
    internal Summary? RunStage(
        IReadOnlyList<Trial> trials, IReadOnlyList<IMetric> metrics, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        Check(trials, metrics);
        var store = MeasurementStore.Open(_options.Folder);
        var measurement = new TrialMeasurement(metrics, store, _options, Cost);
        var work = new DividedTrials(measurement, store, trials, _options, Cost, progress, cancellation);
        if (_options.Division is { } division && division.Run(work) is null)
            return null;
        var started = DateTimeOffset.UtcNow;
        var real = Stopwatch.StartNew();
        var (figures, floorRemarks) = Figures(metrics, progress, cancellation);
        var realCost = new LedgerLineSummary("features of the real images (reference, floor)", 0, 0, real.Elapsed.TotalSeconds);
        if (_options.Division is null)
            work.Whole();
        var measured = trials.Where(t => measurement.Failure(t) is null).ToList();
        LeftOutSummary[] failed =
        [
            .. trials.Except(measured)
                .Select(t => new LeftOutSummary(Number(t), t.Sampler.Solver.Name, measurement.Failure(t)!, t.ScheduleName)),
        ];
        if (measured.Count == 0)
            throw new InvalidInputException($"No trial could be measured: {failed[^1].Reason}");
        var summaries = Verdicts.Judge([.. Named(measured).Select(t => Summarize(t.Trial, t.Name, measurement, metrics))], figures);
        int shown = ShownNumber(summaries);
        var drawing = Stopwatch.StartNew();
        var strips = ImageStrips.Draw(ShownTrials(measured, summaries, figures[0], shown), _options, progress, cancellation);
        long drawn = strips.DistinctBy(s => s.Path).Sum(s => (long)Math.Round(s.EvaluationsPerImage * s.Seeds.Count));
        var seeds = new SeedsSummary(_options.FirstSeed, _options.Samples, _options.Ranges);
        return new Summary
        {
            Title = _options.Title,
            Axis = _options.Axis,
            ShownNumber = shown,
            Model = trials[0].Model.Summary,
            Seeds = seeds,
            Figures = figures,
            Trials = summaries,
            LeftOut = failed,
            ImageStrips = strips,
            Ledger =
            [
                realCost,
                .. _options.Endpoints?.Cost is { NetworkEvaluations: > 0 } cost
                    ? new[] { new LedgerLineSummary("the teacher's endpoints", cost.NetworkEvaluations, 0, cost.Seconds) } : [],
                .. strips.Count == 0 ? [] : new[] { new LedgerLineSummary("images of the report", drawn, 0, drawing.Elapsed.TotalSeconds) },
                SamplesCost(measured, measurement),
            ],
            Manifest = RunEnvironment.Manifest(started, _options.Seed, trials[0].Model),
            Warnings =
            [
                .. floorRemarks, .. seeds.FewRanges is { } few ? [few] : Array.Empty<string>(),
                .. WideSpread(summaries, figures[0], seeds),
            ],
        };
    }

    /// <summary>The same on a thread of the pool.</summary>
    /// <inheritdoc cref="Run"/>
    public Task<Summary> RunAsync(
        IReadOnlyList<Trial> trials, IReadOnlyList<IMetric> metrics, IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default) =>
        Task.Run(() => Run(trials, metrics, progress, cancellation), cancellation);

    /// <summary>Evaluations an image of a trial, counted on a denoiser that knows nothing; those of guidance are not in it.</summary>
    internal int Cost(Trial trial)
    {
        var key = (trial.Sampler.Solver.Name, trial.Sampler.Steps, trial.Sampler.Schedule.Terminal);
        return _costs.TryGetValue(key, out int known) ? known
            : _costs[key] = SolverCost.Evaluations(trial.Sampler.Solver, trial.Sampler.Schedule);
    }

    private static void Check(IReadOnlyList<Trial> trials, IReadOnlyList<IMetric> metrics)
    {
        ArgumentNullException.ThrowIfNull(trials);
        ArgumentNullException.ThrowIfNull(metrics);
        if (trials.Count == 0 || metrics.Count == 0)
            throw new InvalidInputException("There is nothing to measure: an experiment needs a trial and a metric.");
        foreach (var trial in trials)
        {
            trial.Model.Checked(trial.Sampler, trial.ScheduleName);
            if (trial.Model.Shape != trials[0].Model.Shape || trial.Model.Denoiser.Shape != trials[0].Model.Denoiser.Shape)
            {
                throw new InvalidInputException(
                    $"{trial.Model.Name} makes images of {trial.Model.Shape}, {trials[0].Model.Name} of {trials[0].Model.Shape}; only "
                        + "models of one kind compare.");
            }
        }

        if (trials.Count(t => t.Role == TrialRole.Result) > 1 || trials.Count(t => t.Role == TrialRole.Baseline) > 1)
            throw new ArgumentException("At most one trial is the result, and one the baseline.", nameof(trials));
    }

    private static IEnumerable<(Trial Trial, string Name)> Named(IReadOnlyList<Trial> trials)
    {
        var (taken, copies) = (new HashSet<string>(), new Dictionary<string, int>());
        foreach (var trial in trials)
        {
            string own = trial.ToString(), name = trial.Role == TrialRole.Teacher ? $"teacher: {own}" : own;
            while (!taken.Add(name))
                name = FormattableString.Invariant($"{own} ({copies[own] = copies.GetValueOrDefault(own, 1) + 1})");
            yield return (trial, name);
        }
    }

    private (IReadOnlyList<FigureSummary> Figures, IReadOnlyList<string> Remarks) Figures(
        IReadOnlyList<IMetric> metrics, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var floor = RealFloor.Measure(
            metrics, _options.FloorImages, _options.Samples, _options.Ranges, _options.Seed, progress, cancellation);
        var figures = metrics.SelectMany(m => m.Figures).Select(FigureSummary.Of);
        figures = figures.Select(f => floor.Figures.TryGetValue(f.Key, out var spread)
            ? f with
            { Floor = spread.Mean, FloorSpread = spread.StandardDeviation, FloorImages = floor.Images, FloorSubsets = floor.Subsets }
            : f);
        return ([.. figures], floor.Remark is null ? [] : [floor.Remark]);
    }

    private TrialSummary Summarize(Trial trial, string name, TrialMeasurement measurement, IReadOnlyList<IMetric> metrics)
    {
        var ranges = measurement.Of(trial);
        var figures = new Dictionary<string, FigureValues>();
        for (int m = 0; m < metrics.Count; m++)
        {
            for (int f = 0; f < metrics[m].Figures.Count; f++)
                figures[metrics[m].Figures[f].Key] = measurement.Figure(trial, m, f);
        }

        return new TrialSummary
        {
            Name = name,
            Number = Number(trial),
            Role = trial.Role,
            Schedule = trial.ScheduleName,
            File = trial.File,
            Source = trial.Sampler.Origin.Source,
            FoundFor = trial.FoundFor,
            Solver = trial.Sampler.Solver.Name,
            Tuning = trial.Tuning,
            Steps = trial.Sampler.Steps,
            EvaluationsPerImage = ranges.Sum(r => (double)r.NetworkEvaluations) / ranges.Sum(r => (double)r.Images),
            Sigmas = trial.Sampler.Schedule.Sigmas,
            Terminal = trial.Sampler.Schedule.Terminal,
            LossPower0 = Loss(Power0, trial),
            LossPower1 = Loss(Power1, trial),
            Figures = figures,
            Seconds = ranges.Sum(r => r.Seconds),
        };
    }

    private static IEnumerable<string> WideSpread(IReadOnlyList<TrialSummary> trials, FigureSummary figure, SeedsSummary seeds)
    {
        const double wide = 0.25;
        double[] spreads = [.. trials.Select(t => t.Figures.GetValueOrDefault(figure.Key)).Where(v => v is { Spread: > 0, Mean: > 0 })
            .Select(v => v!.Spread!.Value / v.Mean).Order()];
        if (spreads.Length > 0 && spreads[spreads.Length / 2] is > wide and var typical)
        {
            yield return InvariantText.Of($"{figure.ShortName} spreads by {typical:P0} of its mean over ranges of {seeds.Images} images "
                + $"(median of the trials): take more images before believing differences.");
        }
    }

    private EstimateSummary? Loss(PowerWeighting weighting, Trial trial)
    {
        const double rounding = 1e-9;
        var (curve, sigmas) = (_options.Curve, trial.Sampler.Schedule.Sigmas);
        // Only sigmas that a step starts from are looked up.
        if (curve is null || sigmas[0] > curve.Sigmas[^1] * (1 + rounding) || sigmas[^2] < curve.Sigmas[0] * (1 - rounding))
            return null;
        var loss = DiscretizationLoss.Estimate(curve, weighting, trial.Sampler.Schedule);
        return new EstimateSummary(loss.Value, loss.Low, loss.High);
    }

    private int Number(Trial trial) => trial.Number ?? (_options.Axis == ComparisonAxis.Steps ? trial.Sampler.Steps : Cost(trial));

    private int ShownNumber(IReadOnlyList<TrialSummary> trials)
    {
        int[] numbers =
            [.. trials.Where(t => t.Role != TrialRole.Teacher).Select(t => t.Number).DefaultIfEmpty(trials[0].Number).Distinct().Order()];
        return _options.ShownNumber
            ?? (trials.FirstOrDefault(t => t.Role == TrialRole.Result)?.Number ?? (numbers.Contains(4) ? 4 : numbers[0]));
    }

    // The best first, the teacher last.
    private static List<(Trial, TrialSummary)> ShownTrials(
        List<Trial> trials, IReadOnlyList<TrialSummary> summaries, FigureSummary figure, int number)
    {
        var rows = trials.Zip(summaries, (t, s) => (Trial: t, Summary: s)).Where(r => r.Trial.IsShown).ToList();
        return
        [
            .. rows.Where(r => r.Trial.Role != TrialRole.Teacher && r.Summary.Number == number && !r.Trial.IsTransfer)
                .OrderBy(r => r.Summary.Cost(figure)).Take(ImageStrips.MaximumRows)
                .Concat(rows.Where(r => r.Trial.Role == TrialRole.Teacher)),
        ];
    }

    // One measurement may stand under two names.
    private LedgerLineSummary SamplesCost(List<Trial> trials, TrialMeasurement measurement)
    {
        var ranges = trials.Where(t => t.Role != TrialRole.Teacher || _options.Endpoints is null).SelectMany(measurement.Of)
            .DistinctBy(r => r.Key).ToList();
        return new LedgerLineSummary("samples of the comparison", ranges.Sum(r => r.NetworkEvaluations), 0, ranges.Sum(r => r.Seconds));
    }
}
