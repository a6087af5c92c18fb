using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Metrics;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Solvers;
using FewStep.Tuning;

namespace FewStep.Experiments;

/// <summary>The whole way from a pre-trained model to a few-step sampler: loss curve, schedule, tuning, experiment. Every stage leaves its
/// result in the run folder and is not done again on resuming.</summary>
internal sealed class FewStepRun : IDisposable
{
    private readonly Model _model;
    private readonly IImageSet _training;
    private readonly IReadOnlyList<string> _metrics;
    private readonly MetricContext _context;
    private readonly RunOptions _options;
    private readonly RunPlan _plan;
    private readonly TeacherEndpoints _endpoints;
    private readonly IImageEmbedding? _embedding;

    /// <param name="model">The pre-trained model; not disposed.</param>
    /// <param name="training">Training images: loss curve, the denoising loss, the floor of the metrics. Not disposed.</param>
    /// <param name="context">What they may use: networks, reference images. Not disposed.</param>
    public FewStepRun(Model model, IImageSet training, IReadOnlyList<string> metrics, MetricContext context, RunOptions options)
    {
        options.Check();
        options = options with { Tuning = options.Tuning.For(options.Steps, SolverCatalog.Find(options.Solver)) };
        (_model, _training, _metrics, _context, _options, _plan) = (model, training, metrics, context, options,
            new RunPlan(model, options));
        _endpoints = new TeacherEndpoints(Path.Combine(options.Folder, "teacher"), _plan.Teacher, options.BatchSize);
        context.Teacher = _endpoints.ForMetrics;
        context.Texts = model.LabelNames;
        context.Folder = options.Folder;
        context.Prepare([.. metrics.Select(MetricCatalog.Find)]);
        ExperimentOptions.Check();
        CheckFits();
        if (options.Rounds > 0)
            _embedding = ImageEmbeddings.Open(options.Tuning.ImageDistance, model.Network, model.Denoiser.Shape, model.Denoiser.Device);
    }

    private ExperimentOptions ExperimentOptions => new()
    {
        Title = FormattableString.Invariant($"{_model.Name} in {_options.Steps} step{(_options.Steps == 1 ? "" : "s")}"),
        Folder = _options.Folder,
        Samples = _options.Samples,
        Ranges = _options.Ranges,
        FirstSeed = _options.FirstSeed,
        BatchSize = _options.BatchSize,
        ShownSeeds = _options.ShownSeeds,
        ShownNumber = _options.Steps,
        FloorImages = _training is OwnSampleSet ? null : _training, // no real ones
        Seed = _options.Seed,
    };

    public Summary Execute(bool resume, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        var sitting = Stopwatch.StartNew();
        var folder = RunFolder.Open(_options.Folder, Manifest(), resume, out var manifest);
        RunManifest Timed() => manifest with { Run = manifest.Run with { Seconds = manifest.Run.Seconds + sitting.Elapsed.TotalSeconds } };
        try
        {
            var summary = Execute(folder, manifest, progress, cancellation);
            var complete = Timed() with { Ledger = summary.Ledger };
            folder.Update(complete);
            return summary with { Manifest = complete.Run };
        }
        catch (OperationCanceledException)
        {
            folder.Update(Timed());
            throw;
        }
    }

    public void Dispose()
    {
        _endpoints.Dispose();
        _embedding?.Dispose();
    }

    private Summary Execute(RunFolder folder, RunManifest manifest, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var (part, parts) = (0, 2 + (_options.Fit is null ? 0 : 1) + (_options.Rounds > 0 ? 1 : 0));
        IProgress<WorkProgress>? Part(string name) => progress.Phase(name, ++part, parts);
        var measuring = Part("loss curve");
        var curve = RunFolder.Curve(
            folder.Path, _model.Hash, () => _model.MeasureCurve(_training, CurveOptions(), measuring, cancellation));
        var search = Stopwatch.StartNew();
        var found = Search(curve, cancellation);
        var searched = new LedgerLineSummary("schedule search", 0, 0, search.Elapsed.TotalSeconds);
        var tuningImages = _options.Tuning.Loss == TuningLoss.Denoise
            ? TuningImages.Split(_model.Fitting(_training), _model.Autoencoder) : null;
        var alternation = new Alternation(_model, tuningImages, _embedding, _options, folder);
        var first = Phase1(found[0], curve);
        var (fitting, fits) = (Stopwatch.StartNew(), _options.Fit is null ? null : Part("fit"));
        var fitted = _options.Fit is null ? first
            : folder.Start(1, () => alternation.Fit(first, _model.Denoiser, fits, cancellation));
        var fit = new LedgerLineSummary("fit of the solver (Phase 1)",
            (fitted.Origin.Evaluations - first.Origin.Evaluations) ?? 0, 0, fitting.Elapsed.TotalSeconds);
        // Some losses are about Euler's steps alone: they start from the sigmas.
        var start = _options.Tuning.StepsByEuler ? fitted with { Solver = first.Solver, Origin = fitted.Origin.OfSigmas } : fitted;
        var rounds = alternation.Execute(start, _options.Rounds > 0 ? Part("tuning") : null, cancellation);
        var best = rounds.MinBy(r => r.TeacherDistance ?? 0);
        using var tuned = Deliver(folder, best, fitted);
        var metrics = MetricCatalog.Open(_metrics, _context);
        var experiment = new Experiment(
            ExperimentOptions with { Curve = curve, Endpoints = MetricCatalog.NeedTeacher(_metrics) ? _endpoints : null });
        var summary = experiment.Run(_plan.Trials(found, fitted, best, tuned), metrics, Part("comparison"), cancellation);
        return summary with
        {
            Data = manifest.Data,
            LossCurve = LossCurveSummary.Of(curve),
            TuningRounds = [.. rounds.Select(r => Summarize(r, r == best))],
            Ledger =
            [
                new LedgerLineSummary("loss curve (Phase 1)", curve.Origin.NetworkEvaluations, 0, curve.Origin.Seconds),
                searched,
                .. _options.Fit is null ? [] : new[] { fit },
                .. rounds.SelectMany(r => r.Further.Prepend(TuningCost(r))),
                .. summary.Ledger,
            ],
            Warnings = [.. _context.Remarks, .. summary.Warnings, .. curve.Remarks(), .. rounds.SelectMany(Warnings)],
        };
    }

    private static LedgerLineSummary TuningCost(AlternationRound r) =>
        new(FormattableString.Invariant($"tuning, round {r.Round} (Phase 2)"), r.Report.Evaluations.Forward, r.Report.Updates,
            r.Report.Seconds);

    private static IEnumerable<string> Warnings(AlternationRound round) =>
    [
        .. round.Remarks,
        .. round.Report switch
        {
            { Stop: TuningStop.Diverged } report
                => [FormattableString.Invariant($"Tuning in round {round.Round} diverged: {report.Explanation}.")],
            { BestUpdate: null or 0 } => [FormattableString.Invariant(
                $"Tuning in round {round.Round} never improved on the weights it began with; those are kept.")],
            _ => Array.Empty<string>(),
        },
    ];

    private void CheckFits()
    {
        foreach (var (what, images) in new[] { ("training", _training), ("reference", _context.RealImages?.Invoke()) })
        {
            if (images is not null && (images.Shape != _model.Shape || images.Count < 2))
            {
                throw new InvalidInputException(
                    $"The model makes images of {_model.Shape}; there are {images.Count} {what} images of {images.Shape}: choose 2 or more "
                        + "of that shape.");
            }
        }

        if (_model.Shape.Channels is not (1 or 3))
        {
            throw new InvalidInputException(
                $"The model makes images of {_model.Shape.Channels} channels; the report's pictures hold 1 or 3. Where those are latents, "
                    + "give the folder of the pipeline whose autoencoder decodes them.");
        }

        if (_options is { Rounds: > 0, Tuning.Loss: TuningLoss.Denoise } && _model.Teacher is not null)
        {
            throw new InvalidInputException("The loss denoise has no teacher, and a guided model is one to learn from; choose another "
                + "loss, or leave the guidance out.");
        }

        _model.Fitting(_training);
        if (_options.Rounds > 0 && _model.Network is null)
        {
            throw new InvalidInputException($"{_model.Name} has no weights that can be tuned; take the checkpoint that it was made from, "
                + "or 0 rounds for the schedule alone.");
        }
    }

    private RunManifest Manifest()
    {
        var run = RunEnvironment.Manifest(DateTimeOffset.UtcNow, _options.Seed, _model);
        var reference = _context.RealImages?.Invoke();
        string range = _model.ScheduleRange.Identity(_model.Denoiser);
        string measured = string.Join(',', _metrics.Select(m => $"{m} {_context.NetworkOf(MetricCatalog.Find(m))?.Hash}".TrimEnd()));
        var told = new SortedDictionary<string, string>(RunManifest.OptionsOf(_options).ToDictionary(), StringComparer.Ordinal)
        {
            ["number_format"] = _model.NumberFormat ?? "",
            ["metrics"] = measured,
            ["reference"] = reference?.Hash ?? "",
        };
        if (range.Length > 0)
            told["sigma_range"] = InvariantText.Of($"{_model.ScheduleRange.SigmaMin:R} to {_model.ScheduleRange.SigmaMax:R}");
        return new RunManifest
        {
            Identity = RunManifest.IdentityOf(_options, _model.Identity + range, _training.Hash, reference?.Hash ?? "", measured),
            Run = run with
            {
                CommandLine = _options.CommandLine,
                Options = told,
            },
            Model = _model.Summary,
            Data = new DataSummary(
                _options.DataName ?? _model.Name, _training.Hash, reference?.Hash, _training.Count, reference?.Count ?? 0),
        };
    }

    private LossCurveOptions CurveOptions() =>
        _options.Curve with
        { Steps = [_options.Steps], Weightings = DiscretizationLossOptimizer.Weightings(_options.Power), Seed = _options.Seed };

    private IReadOnlyList<ScheduleSearchResult> Search(LossCurve curve, CancellationToken cancellation)
    {
        var request = ScheduleSearchRequest.For(_model, [_options.Steps]);
        return new DiscretizationLossOptimizer(curve, DiscretizationLossOptimizer.Weightings(_options.Power))
            .Search(request, null, cancellation);
    }

    private Sampler Phase1(ScheduleSearchResult found, LossCurve curve) => new(found.Schedule, SolverCatalog.Find(_options.Solver))
    {
        Origin = new SamplerOrigin
        {
            Schedule = RunPlan.Name(_options, 1),
            Source = ScheduleSource.Phase1,
            Objective = found.Objective,
            Loss = found.Loss.Interval,
            Evaluations = curve.Origin.NetworkEvaluations,
            ModelHash = _model.NetworkHash,
            DataHash = _training.Hash,
            Seed = _options.Seed,
        },
    };

    // The run folder is a model folder: weights, and the sampler that they are for.
    private Model? Deliver(RunFolder folder, AlternationRound? best, Sampler untuned)
    {
        (best?.Sampler ?? untuned).Save(folder.Sampler);
        if (best is null)
            return null;
        var (config, denoiser) = ModelFolder.Read(best.ModelPath);
        using (denoiser)
        {
            string name = FormattableString.Invariant($"{_model.Name}, tuned to {_options.Steps} steps");
            ModelFolder.Write(folder.Path, config with { Name = name }, denoiser, denoiser.Weights, pipeline: _model.Pipeline);
        }

        return _model.OpenAlike(folder.Path);
    }

    private TuningRoundSummary Summarize(AlternationRound round, bool kept) => new()
    {
        Round = round.Round,
        Schedule = round.Sampler.Origin.Schedule ?? RunPlan.Name(_options, round.Round),
        Sigmas = round.Sampler.Schedule.Sigmas,
        Tuning = EnumName.Of(round.Report.Options.Loss!.Value),
        Loss = EnumName.Of(round.Report.Options.Loss!.Value),
        HeldOutMetric = round.Report.HeldOutMetric,
        Points = [.. round.Report.Curve.Select(p => new TuningPointSummary(p.Update, p.TrainingLoss, p.HeldOut))],
        BestUpdate = round.Report.BestUpdate,
        IsKept = kept,
        StopReason = round.Report.Explanation,
        Seconds = round.Report.Seconds,
    };
}
