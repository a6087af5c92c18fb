using FewStep.Sampling;
using System.Diagnostics;
using FewStep.Metrics;
using FewStep.Platform;

namespace FewStep.Experiments;

/// <summary>Compares solvers and schedules on one model with the same latents everywhere: searches the schedules that are to be searched, measures every cell, and says how sure the ranking is.</summary>
/// <remarks>All that is done lies in the folder: schedules and searches, the teacher's endpoints, measurements, pictures. A repeated call does what is missing.</remarks>
public sealed class ComparisonRun
{
    private readonly ComparisonModel _model;
    private readonly ComparisonOptions _options;
    private readonly ComparisonGrid _grid;

    /// <summary>Checks what is asked for; nothing is written.</summary>
    /// <param name="model">The model; not disposed.</param>
    /// <param name="options">What to measure.</param>
    /// <exception cref="InvalidInputException">An option is out of range, no solver makes any of the numbers, a schedule file fits nowhere, or an optimiser needs what is not there.</exception>
    public ComparisonRun(ComparisonModel model, ComparisonOptions options)
    {
        options.Validate();
        (_model, _options) = (model, options);
        _grid = ComparisonGrid.Create(options);
        foreach (var given in options.Schedules.OfType<ComparisonSchedule.Given>())
        {
            ScheduleRange.Check(given.Schedule, given.Name, model.Denoiser);
            _grid.Fitting(given);
        }

        if (options.Teacher is { } teacher)
        {
            ScheduleRange.Check(teacher.Schedule, $"of the teacher ({teacher})", model.Denoiser);
        }

        ComparisonSearches.Check(model, options);
    }

    /// <summary>Numbers of steps that cells have, in increasing order; loss curves should be known well there.</summary>
    public IReadOnlyList<int> Steps => [.. _grid.Slots.Select(s => s.Steps).Distinct().Order()];

    /// <summary>Does what is not done yet.</summary>
    /// <param name="evaluation">The distance to real images; null to leave it out.</param>
    /// <param name="progress">Told how each stage comes along; may be null.</param>
    /// <param name="cancellation">Stops; what is done stays in the folder.</param>
    /// <exception cref="InvalidInputException">There is nothing to measure, or nothing could be measured; a file in the folder is damaged or cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ComparisonOutcome Execute(FrechetEvaluation? evaluation, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (evaluation is null && _options.Teacher is null)
        {
            throw new InvalidInputException("There is nothing to measure: neither a distance to real images nor a teacher.");
        }

        var searches = ComparisonSearches.Open(_model, _options);
        var plan = ComparisonPlan.Create(_model, _options, _grid, searches, progress, cancellation);
        using var endpoints = _options.Teacher is null ? null : new TeacherEndpoints(Path.Combine(_options.Folder, "teacher"), TeacherCell(_options.Teacher), _options.BatchSize);
        var store = EvaluationStore.Open(Path.Combine(_options.Folder, EvaluationStore.Name));
        var measurement = new ComparisonMeasurement(evaluation, endpoints, store, _options, Cost);
        measurement.Run([.. plan.Cells.Select(c => c.Cell)], progress, cancellation);
        var leftOut = plan.LeftOut.ToList();
        leftOut.AddRange(plan.Cells.Where(c => measurement.Failure(c.Cell) is not null).Select(c => new ComparisonLeftOutSummary(c.Number, c.Cell.Solver.Name, measurement.Failure(c.Cell)!, c.Cell.ScheduleName)));
        ComparisonPlannedCell[] measured = [.. plan.Cells.Where(c => measurement.Failure(c.Cell) is null)];
        if (measured.Length == 0)
        {
            throw new InvalidInputException($"No cell could be measured: {leftOut[^1].Reason}");
        }

        var cells = ComparisonVerdicts.Judge([.. measured.Select(c => Summarize(c, measurement.Of(c.Cell)))]);
        var drawing = Stopwatch.StartNew();
        var strips = ComparisonStrips.Draw(Shown(measured, cells), endpoints?.Teacher, _options, Cost, progress, cancellation);
        var drawn = new LedgerLineSummary("images of the report", strips.DistinctBy(s => s.Path).Sum(s => (long)Math.Round(s.EvaluationsPerImage * s.Seeds.Count)), 0, drawing.Elapsed.TotalSeconds);
        return new ComparisonOutcome
        {
            Cells = cells,
            LeftOut = leftOut,
            Searches = searches.Used,
            ImageStrips = strips,
            Ledger = [.. Ledger(searches.Used, measured, measurement), .. strips.Count == 0 ? Array.Empty<LedgerLineSummary>() : [drawn]],
            Teacher = endpoints is null ? null : TeacherSummary(_options.Teacher!, endpoints.Teacher, measurement),
            RangesMeasured = measurement.RangesMeasured,
            SearchesRun = searches.Ran,
        };
    }

    private static IEnumerable<LedgerLineSummary> Ledger(IReadOnlyList<ComparisonSearch> searches, ComparisonPlannedCell[] cells, ComparisonMeasurement measurement)
    {
        foreach (var group in searches.GroupBy(s => s.Optimizer))
        {
            yield return new LedgerLineSummary($"search: {group.Key}", group.Sum(s => s.NetworkEvaluations), 0, group.Sum(s => s.Seconds));
        }

        if (measurement.TeacherCost.NetworkEvaluations > 0)
        {
            yield return new LedgerLineSummary("the teacher's endpoints", measurement.TeacherCost.NetworkEvaluations, 0, measurement.TeacherCost.Seconds);
        }

        // One measurement may stand under two names.
        var ranges = cells.SelectMany(c => measurement.Of(c.Cell)).ToList();
        var distances = ranges.Select(r => r.Distance).OfType<MeasuredRange>().DistinctBy(m => m.Key).ToList();
        var endpoints = ranges.Select(r => r.Endpoint).OfType<EndpointRange>().Where(e => !e.WithDistance || distances.Count == 0).DistinctBy(e => e.Key).ToList();
        yield return new LedgerLineSummary(
            "samples of the comparison",
            distances.Sum(m => m.NetworkEvaluations) + endpoints.Sum(e => e.NetworkEvaluations),
            0,
            distances.Sum(m => m.Seconds) + endpoints.Sum(e => e.Seconds));
    }

    private static ComparisonCellSummary Summarize(ComparisonPlannedCell planned, IReadOnlyList<(MeasuredRange? Distance, EndpointRange? Endpoint)> ranges)
    {
        var distances = ranges.Select(r => r.Distance).OfType<MeasuredRange>().ToList();
        var endpoints = ranges.Select(r => r.Endpoint).OfType<EndpointRange>().ToList();
        (long evaluations, long images) = distances.Count > 0
            ? (distances.Sum(d => d.NetworkEvaluations), distances.Sum(d => (long)d.Images))
            : (endpoints.Sum(e => e.NetworkEvaluations), endpoints.Sum(e => (long)e.Images));
        return new ComparisonCellSummary
        {
            Number = planned.Number,
            Schedule = planned.Schedule.Name,
            FoundFor = planned.FoundFor,
            Source = planned.Schedule.Source,
            Solver = planned.Cell.Solver.Name,
            Steps = planned.Cell.Schedule.Steps,
            EvaluationsPerImage = (double)evaluations / images,
            Sigmas = [.. planned.Cell.Schedule.Sigmas],
            Terminal = planned.Cell.Schedule.Terminal,
            Distance = distances.Count == 0 ? null : new DistanceSummary([.. distances.Select(d => new SeedRangeSummary(d.FirstSeed, d.Images, d.Distance))]),
            Endpoint = endpoints.Count == 0 ? null : new DistanceSummary([.. endpoints.Select(e => new SeedRangeSummary(e.FirstSeed, e.Images, e.RootMeanSquare))]),
            Seconds = distances.Sum(d => d.Seconds) + endpoints.Where(e => !e.WithDistance || distances.Count == 0).Sum(e => e.Seconds),
        };
    }

    private static ComparisonTeacherSummary TeacherSummary(ComparisonTeacher teacher, ComparisonCell cell, ComparisonMeasurement measurement)
    {
        var distances = measurement.Of(cell).Select(r => r.Distance).OfType<MeasuredRange>().ToList();
        return new ComparisonTeacherSummary(
            teacher.Solver.Name,
            teacher.ScheduleName,
            teacher.Schedule.Steps,
            SolverCost.Evaluations(teacher.Solver, teacher.Schedule.Steps, teacher.Schedule.Terminal),
            distances.Count == 0 ? null : new DistanceSummary([.. distances.Select(d => new SeedRangeSummary(d.FirstSeed, d.Images, d.Distance))]));
    }

    // The solver's own schedules, the best first.
    private List<ComparisonCell> Shown(ComparisonPlannedCell[] planned, IReadOnlyList<ComparisonCellSummary> cells) =>
    [
        .. Enumerable.Range(0, cells.Count)
            .Where(i => cells[i].Number == _options.Shown && !cells[i].IsTransfer)
            .OrderBy(i => (cells[i].Distance ?? cells[i].Endpoint)!.Mean)
            .Select(i => planned[i].Cell),
    ];

    private ComparisonCell TeacherCell(ComparisonTeacher teacher) => new()
    {
        Denoiser = _model.Denoiser,
        DenoiserIdentity = _model.Identity,
        ScheduleName = $"teacher: {teacher}",
        Schedule = teacher.Schedule,
        Solver = teacher.Solver,
        Role = EvaluationRole.Teacher,
    };

    private int Cost(ComparisonCell cell) => _grid.Cost(cell.Solver, cell.Schedule);
}

/// <summary>What a comparison found.</summary>
public sealed record ComparisonOutcome
{
    /// <summary>The measured cells with their verdicts, by number, then schedule, then solver.</summary>
    public required IReadOnlyList<ComparisonCellSummary> Cells { get; init; }

    /// <summary>What was not measured, and why.</summary>
    public required IReadOnlyList<ComparisonLeftOutSummary> LeftOut { get; init; }

    /// <summary>The searches that gave schedules, whenever they ran.</summary>
    public required IReadOnlyList<ComparisonSearch> Searches { get; init; }

    /// <summary>The pictures.</summary>
    public required IReadOnlyList<ImageStripSummary> ImageStrips { get; init; }

    /// <summary>What each stage cost, whenever it ran.</summary>
    public required IReadOnlyList<LedgerLineSummary> Ledger { get; init; }

    /// <summary>The fine sampler; null without one.</summary>
    public ComparisonTeacherSummary? Teacher { get; init; }

    /// <summary>Seed ranges that were sampled now; the others were stored.</summary>
    public required int RangesMeasured { get; init; }

    /// <summary>Searches that ran now; the others were stored.</summary>
    public required int SearchesRun { get; init; }
}
