using FewStep.Sampling;
using FewStep.Search;
using FewStep.Solvers;
using FewStep.Tuning;

namespace FewStep.Experiments;

/// <summary>Alternates Phase 1 and Phase 2 and keeps the best round.</summary>
/// <remarks>
/// The pre-trained model stays the teacher of all rounds. All rounds but the last move the levels at random, so that the tuned model's loss
/// curve can be believed near them and the next Phase 1 does not merely confirm the levels that were tuned on.
/// </remarks>
internal sealed class Alternation(
    Model model, TrainingImages images, TuningImages? tuningImages, RunOptions options, RunFolder folder,
    Func<LossCurveOptions> curveOptions)
{
    private const int JudgeSteps = 18;

    public IReadOnlyList<AlternationRound> Execute(
        LossCurve pretrained, SamplingSchedule first, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var rounds = new List<AlternationRound>();
        var schedule = first;
        for (int round = 1; round <= options.Rounds; round++)
        {
            var done = Tune(round, schedule, rounds.LastOrDefault()?.ModelPath, progress, cancellation);
            cancellation.ThrowIfCancellationRequested();
            if (options.Rounds > 1)
                done = Judge(done, progress, cancellation);
            if (round < options.Rounds)
            {
                var tuned = TunedCurve(done, progress, cancellation);
                var cost = new LedgerLineSummary(
                    FormattableString.Invariant(
                        $"loss curve after round {round}"), tuned.Origin.NetworkEvaluations, 0, tuned.Origin.Seconds);
                done = done with { Further = [.. done.Further, cost] };
                schedule = NextSchedule(done, pretrained, tuned, cancellation);
            }

            rounds.Add(done);
        }

        return rounds;
    }

    private AlternationRound Tune(
        int round, SamplingSchedule schedule, string? startFrom, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using var start = startFrom is null ? null : model.OpenAlike(startFrom);
        var tuning = options.Tuning with
        { Seed = SeedHash.Derive(options.Seed, round), Jitter = round < options.Rounds ? options.Jitter : 0 };
        string path = folder.Round(round);
        var place = new TuningRunOptions { Folder = path, WriteSnapshots = false };
        var sampler = new Sampler(schedule, SolverCatalog.Find(options.Solver));
        var run = new TuningRun(model.Config, model.Network!, sampler, tuning, place, tuningImages, start?.Network!.Weights);
        using var events = new EventLog(Path.Combine(folder.Events, $"round-{round}"));
        var observer = new TuningObserver
        {
            Progress = progress,
            Update = events.Training,
            Point = point => events.Scalar("tune/held_out", point.HeldOut, point.Update),
        };
        return new AlternationRound(round, schedule, run.Execute(observer, cancellation), run.ModelPath, null, []);
    }

    // The rounds' own held-out metrics follow their own schedules' teachers; this one is the same for all.
    private AlternationRound Judge(AlternationRound round, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        using var tuned = model.OpenAlike(round.ModelPath);
        var fine = StandardSchedule.Karras().Create(JudgeSteps, model.Denoiser.SigmaMin, model.Denoiser.SigmaMax);
        var teacher = new SamplingLoop(model.Denoiser, new HeunSolver(), fine);
        var student = new SamplingLoop(tuned.Denoiser, SolverCatalog.Find(options.Solver), round.Schedule);
        var distance = PairedComparison.Measure(
            student, teacher, SeedPlan.Judged(options.Tuning.HeldOutCount), options.BatchSize, progress, cancellation);
        var cost = new LedgerLineSummary(
            FormattableString.Invariant($"judging round {round.Round}"), distance.Evaluations, 0, watch.Elapsed.TotalSeconds);
        return round with { TeacherDistance = distance.MeanRootMeanSquare, Further = [.. round.Further, cost] };
    }

    private LossCurve TunedCurve(AlternationRound done, IProgress<WorkProgress>? progress, CancellationToken cancellation) =>
        RunFolder.Curve(folder.Round(done.Round), () =>
        {
            using var tuned = model.OpenAlike(done.ModelPath);
            return new LossCurveEstimator(tuned.Denoiser, images, curveOptions()).Estimate(progress, cancellation);
        });

    private SamplingSchedule NextSchedule(AlternationRound done, LossCurve pretrained, LossCurve tuned, CancellationToken cancellation)
    {
        var blended = LossCurveBlend.Blend(
            pretrained.Fitted, tuned.Fitted, [.. done.Schedule.Sigmas.Take(done.Schedule.Steps)], options.Jitter);
        var request = new ScheduleSearchRequest
        { Steps = [options.Steps], SigmaMin = model.Denoiser.SigmaMin, SigmaMax = model.Denoiser.SigmaMax };
        return new DiscretizationLossOptimizer(
            blended, [new PowerWeighting(options.Power)]).Search(request, cancellation: cancellation)[0].Schedule;
    }
}

/// <summary>One round of an <see cref="Alternation"/>.</summary>
internal sealed record AlternationRound(
    int Round, SamplingSchedule Schedule, TuningReport Report, string ModelPath, double? TeacherDistance,
    IReadOnlyList<LedgerLineSummary> Further);
