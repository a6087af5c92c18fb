using System.Diagnostics;
using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Metrics;
using FewStep.Noise;
using FewStep.Platform;
using FewStep.Search;
using FewStep.Solvers;
using FewStep.Tuning;

namespace FewStep.Experiments;

/// <summary>The whole way from a pre-trained model to a few-step sampler: loss curve, schedule, tuning, experiment. Every stage leaves its result in the run folder and is not done again on resuming.</summary>
internal sealed class FewStepRun
{
    private readonly Model _model;
    private readonly IImageSet _training;
    private readonly MetricSetup _metrics;
    private readonly RunOptions _options;
    private readonly RunPlan _plan;

    /// <summary>Prepares a run; nothing is written.</summary>
    /// <param name="model">The pre-trained model; not disposed.</param>
    /// <param name="training">Training images: loss curve, the denoising loss, the floor of the metrics. Not disposed.</param>
    /// <param name="metrics">What to measure; not disposed.</param>
    /// <param name="options">What to do.</param>
    /// <exception cref="InvalidInputException">Options are out of range, or the parts do not fit.</exception>
    public FewStepRun(Model model, IImageSet training, MetricSetup metrics, RunOptions options)
    {
        options.Check();
        (_model, _training, _metrics, _options, _plan) = (model, training, metrics, options, new RunPlan(model, options));
        ExperimentOptions.Check();
        CheckFits();
    }

    private ExperimentOptions ExperimentOptions => new()
    {
        Title = FormattableString.Invariant($"{_model.Name} in {_options.Steps} step{(_options.Steps == 1 ? "" : "s")}"),
        Folder = _options.Folder,
        Samples = _options.Samples,
        Ranges = _options.Ranges,
        BatchSize = _options.BatchSize,
        ShownSeeds = _options.ShownSeeds,
        ShownNumber = _options.Steps,
        FloorImages = _training,
        Seed = _options.Seed,
    };

    /// <summary>Does what is not done yet.</summary>
    /// <param name="resume">Whether to go on with a run that lies in the folder.</param>
    /// <param name="progress">Told how each stage comes along.</param>
    /// <param name="cancellation">Stops; the folder can be resumed.</param>
    /// <returns>What the run has to tell.</returns>
    /// <exception cref="InvalidInputException">The folder holds another run.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
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

    private Summary Execute(RunFolder folder, RunManifest manifest, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var curve = MeasuredCurve(folder, progress, cancellation);
        var search = Stopwatch.StartNew();
        var found = Search(curve, cancellation);
        var searched = new LedgerLineSummary("schedule search", 0, 0, search.Elapsed.TotalSeconds);
        var images = _options.Tuning.Loss == TuningLoss.Denoise ? TuningImages.Split(_training) : null;
        var rounds = new Alternation(_model, new TrainingImages(_training), images, _options, folder, CurveOptions)
            .Execute(curve, found[0].Schedule, progress, cancellation);
        var best = rounds.MinBy(r => r.TeacherDistance ?? 0);
        long further = rounds.Where(r => r.Round < (best?.Round ?? 1)).SelectMany(r => r.Further).Sum(l => l.NetworkEvaluations);
        using var tuned = Deliver(folder, best, found[0], curve, further);
        var endpoints = _metrics.Teacher(_plan.Teacher, _options.Folder, _options.BatchSize);
        var experiment = new Experiment(ExperimentOptions with { Curve = curve, Endpoints = endpoints });
        var summary = experiment.Run(_plan.Trials(found, best, tuned), _metrics.Metrics, progress, cancellation);
        return summary with
        {
            Data = manifest.Data,
            LossCurve = LossCurveSummary.Of(curve),
            TuningRounds = [.. rounds.Select(r => Summarize(r, r == best))],
            Ledger =
            [
                new LedgerLineSummary("loss curve (Phase 1)", curve.Origin.NetworkEvaluations, 0, curve.Origin.Seconds),
                searched,
                .. rounds.SelectMany(r => r.Further.Prepend(TuningCost(r))),
                .. summary.Ledger,
            ],
            Warnings = [.. _metrics.Remarks, .. summary.Warnings, .. curve.Remarks(), .. rounds.SelectMany(Warnings)],
        };
    }

    private static LedgerLineSummary TuningCost(AlternationRound r) =>
        new(FormattableString.Invariant($"tuning, round {r.Round} (Phase 2)"), r.Report.Evaluations.Forward, r.Report.Updates, r.Report.Seconds);

    private static IEnumerable<string> Warnings(AlternationRound round)
    {
        if (round.Report.Stop == TuningStop.Diverged)
        {
            yield return FormattableString.Invariant($"Tuning in round {round.Round} diverged: {round.Report.Explanation}.");
        }
        else if (round.Report.BestUpdate is null or 0)
        {
            yield return FormattableString.Invariant($"Tuning in round {round.Round} never improved on the weights it began with; those are kept.");
        }
    }

    private void CheckFits()
    {
        _metrics.CheckShape(_model.Shape);
        if (_training.Shape != _model.Shape)
        {
            throw new InvalidInputException(
                $"The model makes images of {_model.Shape}, but the training images are {_training.Shape}; choose data of that shape.");
        }

        if (_model.Shape.Channels is not (1 or 3))
        {
            throw new InvalidInputException($"The model makes images of {_model.Shape.Channels} channels; the report's pictures hold 1 or 3.");
        }

        if (_training.Count < 2)
        {
            throw new InvalidInputException($"A run needs 2 or more training images, not {_training.Count}.");
        }

        if (_model.Classes > 0 && _training.Classes > _model.Classes)
        {
            throw new InvalidInputException($"The training images have {_training.Classes} classes, the model {_model.Classes}.");
        }

        if (_options.Rounds > 0 && _model.Network is null)
        {
            throw new InvalidInputException($"{_model.Name} has no weights that can be tuned; take the checkpoint that it was made from, or 0 rounds for the schedule alone.");
        }
    }

    private RunManifest Manifest()
    {
        var run = RunEnvironment.Manifest(DateTimeOffset.UtcNow, _options.Seed, _model);
        return new RunManifest
        {
            Identity = RunManifest.IdentityOf(_options, _model.Identity, _training.Hash, _metrics.Identity),
            Run = run with
            {
                CommandLine = _options.CommandLine,
                Options = new SortedDictionary<string, string>(RunManifest.OptionsOf(_options).ToDictionary(), StringComparer.Ordinal)
                {
                    ["number_format"] = _model.NumberFormat ?? "",
                    ["metrics"] = _metrics.Identity,
                },
            },
            Model = _model.Summary,
            Data = new DataSummary
            {
                Name = _options.DataName ?? _model.Name,
                Hash = _training.Hash,
                TrainingImages = _training.Count,
                ReferenceHash = _metrics.Reference?.Hash,
                HeldOutImages = _metrics.Reference?.Count ?? 0,
            },
        };
    }

    private LossCurveOptions CurveOptions() =>
        _options.Curve with { Steps = [_options.Steps], Weightings = DiscretizationLossOptimizer.Weightings(_options.Power), Seed = _options.Seed };

    private LossCurve MeasuredCurve(RunFolder folder, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (!File.Exists(folder.LossCurve))
        {
            var estimator = new LossCurveEstimator(_model.Denoiser, new TrainingImages(_training), CurveOptions() with { ModelHash = _model.Hash });
            LossCurveFile.Write(folder.LossCurve, estimator.Estimate(progress, cancellation));
        }

        return LossCurveFile.Read(folder.LossCurve);
    }

    private IReadOnlyList<ScheduleSearchResult> Search(LossCurve curve, CancellationToken cancellation)
    {
        var request = new ScheduleSearchRequest { Steps = [_options.Steps], SigmaMin = _model.Denoiser.SigmaMin, SigmaMax = _model.Denoiser.SigmaMax };
        return new DiscretizationLossOptimizer(curve, DiscretizationLossOptimizer.Weightings(_options.Power)).Search(request, null, cancellation);
    }

    // The run folder is a model folder: weights, and the sampler that they are for. The schedule of a later round stands on the curves of the rounds before.
    private Model? Deliver(RunFolder folder, AlternationRound? best, ScheduleSearchResult first, LossCurve curve, long further)
    {
        var origin = new SamplerOrigin
        {
            Schedule = _plan.Name(best?.Round ?? 1),
            Source = best?.Round is null or 1 ? ScheduleSource.Phase1 : ScheduleSource.Alternation,
            Objective = first.Objective,
            Loss = first.Loss is { Low: double low, High: double high } && best?.Round is null or 1 ? new ScheduleLoss(first.Loss.Value, low, high) : null,
            Evaluations = curve.Origin.NetworkEvaluations + further,
            ModelHash = _model.Hash,
            DataHash = _training.Hash,
            Seed = _options.Seed,
        };
        var sampler = new Sampler(best?.Schedule ?? first.Schedule, SolverCatalog.Find(_options.Tuning.Solver)) { Origin = origin };
        if (best is null)
        {
            sampler.Save(folder.Sampler);
            return null;
        }

        var (config, denoiser) = ModelFolder.Read(best.ModelPath);
        using (denoiser)
        {
            string name = FormattableString.Invariant($"{_model.Name}, tuned to {_options.Steps} steps");
            ModelFolder.Write(folder.Path, config with { Name = name }, denoiser, denoiser.Weights);
        }

        sampler.Save(folder.Sampler);
        return _model.OpenAlike(folder.Path);
    }

    private TuningRoundSummary Summarize(AlternationRound round, bool kept) => new()
    {
        Round = round.Round,
        Schedule = _plan.Name(round.Round),
        Sigmas = round.Schedule.Sigmas,
        Tuning = EnumName.Of(round.Report.Options.Loss),
        Loss = EnumName.Of(round.Report.Options.Loss),
        HeldOutMetric = round.Report.HeldOutMetric,
        Points = [.. round.Report.Curve.Select(p => new TuningPointSummary(p.Update, p.TrainingLoss, p.HeldOut))],
        BestUpdate = round.Report.BestUpdate,
        IsKept = kept,
        StopReason = round.Report.Explanation,
        Seconds = round.Report.Seconds,
    };
}
