using System.Diagnostics;
using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Metrics;
using FewStep.Tuning;
using FewStep.Noise;
using FewStep.Platform;
using FewStep.Search;

namespace FewStep.Experiments;

/// <summary>The whole way from a pre-trained model to a few-step sampler: loss curve, schedule, tuning, comparison. Every stage leaves its result in the run folder and is not done again on resuming.</summary>
/// <param name="model">The pre-trained model; not disposed.</param>
/// <param name="training">Training images: loss curve, the denoising loss, the floor of the metric. Not disposed.</param>
/// <param name="reference">Other real images, which samples are compared with. Not disposed.</param>
/// <param name="features">The feature network of the metric; not disposed.</param>
/// <param name="options">What to do; checked.</param>
internal sealed class FewStepRun(ModelSource model, IImageSet training, IImageSet reference, IFeatureExtractor features, FewStepRunOptions options)
{
    private const string TunedName = "tuned";

    /// <summary>Does what is not done yet.</summary>
    /// <param name="resume">Whether to go on with a run that lies in the folder.</param>
    /// <param name="progress">Told how each stage comes along; may be null.</param>
    /// <param name="cancellation">Stops; the folder can be resumed.</param>
    /// <returns>What the run has to tell; <c>metrics.json</c> holds the same.</returns>
    /// <exception cref="InvalidInputException">Options are out of range, the parts do not fit, or the folder holds another run.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public RunSummary Execute(bool resume, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        var sitting = Stopwatch.StartNew();
        options.Validate();
        CheckFits();
        var folder = RunFolder.Open(options.Folder, Manifest(), resume, out var manifest);
        RunManifest Timed() => manifest with { Run = manifest.Run with { Seconds = manifest.Run.Seconds + sitting.Elapsed.TotalSeconds } };
        try
        {
            var summary = Execute(folder, manifest, progress, cancellation);
            var complete = Timed() with { Ledger = summary.Ledger };
            summary = summary with { Manifest = complete.Run };
            RunSummaryFile.Write(folder.At(RunSummaryFile.Name), summary);
            folder.Update(complete);
            return summary;
        }
        catch (OperationCanceledException)
        {
            folder.Update(Timed());
            throw;
        }
    }

    private RunSummary Execute(RunFolder folder, RunManifest manifest, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var curve = MeasuredCurve(folder, progress, cancellation);
        var search = Stopwatch.StartNew();
        var found = Search(curve, cancellation);
        var searched = new LedgerLineSummary("schedule search", 0, 0, search.Elapsed.TotalSeconds);
        var rounds = Alternate(folder, curve, found[0].Schedule, progress, cancellation);
        var best = rounds.MinBy(r => r.TeacherDistance ?? 0);
        using var tuned = Deliver(folder, best, found[0], curve, rounds.Where(r => r.Round < (best?.Round ?? 1)).SelectMany(r => r.Further).Sum(l => l.NetworkEvaluations));
        var plan = new RunPlan(model, options).Cells(found, best, tuned);
        var real = Stopwatch.StartNew();
        using var statistics = ReferenceStatistics.LoadOrMeasure(folder.Reference, reference, features, progress, cancellation);
        var evaluation = new FrechetEvaluation(features, statistics);
        var (metric, remark) = RunFacts.Of(evaluation, training, options.Samples, options.Ranges, options.Seed, progress, cancellation);
        var realCost = RunFacts.RealImagesCost(real.Elapsed);
        var drawing = Stopwatch.StartNew();
        var strips = plan.Where(c => c.Shown).Select((c, i) => ImageStrip.Draw(c.Cell, options.ShownSeeds, folder.Path, $"samples/strip-{i + 1:D2}.png", cancellation)).ToList();
        var drawn = new LedgerLineSummary("images of the report", strips.Sum(s => (long)Math.Round(s.EvaluationsPerImage * s.Seeds.Count)), 0, drawing.Elapsed.TotalSeconds);
        var comparison = new ScheduleComparison(evaluation, SeedRange.Consecutive(0, options.Samples, options.Ranges))
        {
            Store = EvaluationStore.Open(folder.Evaluations),
            Curve = curve,
            BatchSize = options.BatchSize,
        };
        var compared = comparison.Run([.. plan.Select(c => c.Cell)], progress, cancellation);
        return new RunSummary
        {
            Title = FormattableString.Invariant($"{model.Config.Name} in {options.Steps} step{(options.Steps == 1 ? "" : "s")}"),
            Steps = options.Steps,
            Model = manifest.Model,
            Data = manifest.Data,
            Metric = metric,
            LossCurve = RunFacts.Of(curve),
            Schedules =
            [
                .. plan.Select(c => ScheduleSummary.From(c.Cell.ScheduleName, c.Source, c.Cell.Schedule))
                    .Concat(rounds.Select(r => ScheduleSummary.From(RunPlan.Name(r.Round, options.Power), r.Round == 1 ? ScheduleSource.Phase1 : ScheduleSource.Alternation, r.Schedule)))
                    .DistinctBy(s => s.Name),
            ],
            Evaluations = compared.Evaluations,
            ImageStrips = strips,
            TuningRounds = [.. rounds.Select(r => Summarize(r, r == best))],
            Ledger =
            [
                new LedgerLineSummary("loss curve (Phase 1)", curve.Origin.NetworkEvaluations, 0, curve.Origin.Seconds),
                searched,
                .. rounds.SelectMany(r => r.Further.Prepend(new LedgerLineSummary(FormattableString.Invariant($"tuning, round {r.Round} (Phase 2)"), r.Report.Evaluations.Forward, r.Report.Updates, r.Report.Seconds))),
                realCost,
                drawn,
                compared.Cost,
            ],
            Manifest = manifest.Run,
            Warnings = [.. Warnings(remark, curve, rounds)],
        };
    }

    private void CheckFits()
    {
        foreach (var (what, shape) in new[] { ("the training images are", training.Shape), ("the reference images are", reference.Shape), ("the feature network takes", features.Shape) })
        {
            if (shape != model.Config.Shape)
            {
                throw new InvalidInputException($"The model makes images of {model.Config.Shape}, but {what} {shape}; choose data and features of that shape.");
            }
        }

        if (model.Config.Shape.Channels is not (1 or 3))
        {
            throw new InvalidInputException($"The model makes images of {model.Config.Shape.Channels} channels; the report's pictures hold 1 or 3.");
        }

        if (training.Count < 2 || reference.Count < 2)
        {
            throw new InvalidInputException($"A run needs 2 or more training and 2 or more reference images, not {training.Count} and {reference.Count}.");
        }

        if (model.Config.Classes > 0 && training.Classes > model.Config.Classes)
        {
            throw new InvalidInputException($"The training images have {training.Classes} classes, the model {model.Config.Classes}.");
        }
    }

    private RunManifest Manifest() => new()
    {
        Identity = RunManifest.IdentityOf(options, model.Hash, training.Hash, reference.Hash, features.Hash),
        Run = new ManifestSummary
        {
            Version = RunEnvironment.Version,
            Started = DateTimeOffset.UtcNow,
            Seed = options.Seed,
            CommandLine = options.CommandLine,
            Versions = RunEnvironment.Versions(),
            Options = new SortedDictionary<string, string>(RunManifest.OptionsOf(options).ToDictionary(), StringComparer.Ordinal) { ["number_format"] = EnumName.Of(model.Denoiser.ComputeType), ["reference"] = reference.Hash },
            Machine = RunEnvironment.Machine(model.Denoiser.Device),
        },
        Model = RunFacts.Of(model),
        Data = new DataSummary { Name = options.DataName ?? model.Config.Name, Hash = training.Hash, TrainingImages = training.Count, HeldOutImages = reference.Count },
        ClassifierHash = features.Hash,
    };

    private LossCurveOptions CurveOptions() => options.Curve with { Steps = [options.Steps], Weightings = DiscretizationLossOptimizer.Weightings(options.Power), Seed = options.Seed };

    private LossCurve MeasuredCurve(RunFolder folder, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (!File.Exists(folder.LossCurve))
        {
            LossCurveFile.Write(folder.LossCurve, new LossCurveEstimator(model.Denoiser, new TrainingImages(training), CurveOptions() with { ModelHash = model.Hash }).Estimate(progress, cancellation));
        }

        return LossCurveFile.Read(folder.LossCurve);
    }

    private IReadOnlyList<ScheduleSearchResult> Search(LossCurve curve, CancellationToken cancellation)
    {
        var request = new ScheduleSearchRequest { Steps = [options.Steps], SigmaMin = model.Denoiser.SigmaMin, SigmaMax = model.Denoiser.SigmaMax };
        return new DiscretizationLossOptimizer(curve, DiscretizationLossOptimizer.Weightings(options.Power)).Search(request, null, cancellation);
    }

    private IReadOnlyList<AlternationRound> Alternate(RunFolder folder, LossCurve curve, SamplingSchedule schedule, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var images = options.Tuning.Loss == TuningLoss.Denoise ? TuningImages.Split(training) : null;
        return new Alternation(model, new TrainingImages(training), images, options, folder, CurveOptions).Execute(curve, schedule, progress, cancellation);
    }

    // The schedule of a later round stands on the curves of the rounds before.
    private ModelSource? Deliver(RunFolder folder, AlternationRound? best, ScheduleSearchResult first, LossCurve curve, long further)
    {
        ScheduleFile.Write(folder.Schedule, new ScheduleRecord(best?.Schedule ?? first.Schedule)
        {
            Solver = options.Tuning.Solver,
            Objective = first.Objective,
            Loss = first.Loss is { Low: double low, High: double high } && best?.Round is null or 1 ? new ScheduleLoss(first.Loss.Value, low, high) : null,
            Evaluations = curve.Origin.NetworkEvaluations + further,
            ModelHash = model.Hash,
            DataHash = training.Hash,
            Seed = options.Seed,
        });
        if (best is null)
        {
            return null;
        }

        var (config, denoiser) = ModelFolder.Read(best.ModelPath);
        using (denoiser)
        {
            string name = FormattableString.Invariant($"{model.Config.Name}, {TunedName} to {options.Steps} steps");
            ModelFolder.Write(folder.Path, config with { Name = name }, denoiser, denoiser.Weights);
        }

        var delivered = ModelSource.Open(folder.Path, device: model.Denoiser.Device);
        delivered.Denoiser.ComputeType = model.Denoiser.ComputeType;
        return delivered;
    }

    private TuningRoundSummary Summarize(AlternationRound round, bool kept) => new()
    {
        Round = round.Round,
        Schedule = RunPlan.Name(round.Round, options.Power),
        Tuning = EnumName.Of(round.Report.Options.Loss),
        Loss = EnumName.Of(round.Report.Options.Loss),
        HeldOutMetric = round.Report.HeldOutMetric,
        Points = [.. round.Report.Curve.Select(p => new TuningPointSummary(p.Update, p.TrainingLoss, p.HeldOut))],
        BestUpdate = round.Report.BestUpdate,
        IsKept = kept,
        StopReason = round.Report.Explanation,
        Seconds = round.Report.Seconds,
    };

    private IEnumerable<string> Warnings(string? remark, LossCurve curve, IReadOnlyList<AlternationRound> rounds)
    {
        if (features is InceptionFeatures { Remark: string unknown })
        {
            yield return unknown;
        }

        if (remark is not null)
        {
            yield return remark;
        }

        foreach (string about in curve.Remarks())
        {
            yield return about;
        }

        foreach (var round in rounds)
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
    }
}
