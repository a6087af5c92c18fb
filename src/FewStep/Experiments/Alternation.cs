using FewStep.Fitting;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tuning;

namespace FewStep.Experiments;

/// <summary>Alternates Phase 1 and Phase 2 and keeps the best round.</summary>
/// <remarks>
/// The pre-trained model stays the teacher of all rounds. Once tuned on its sigmas a model says little about others, so the next round's
/// sigmas are not searched anew: they move towards equal errors of the intervals, and there the solver is fitted to the tuned
/// weights, unless the loss is about Euler's steps alone or nothing is fitted.
/// </remarks>
internal sealed class Alternation(Model model, TuningImages? tuningImages, IImageEmbedding? embedding, RunOptions options, RunFolder folder)
{
    private const int JudgeSteps = 18;

    public IReadOnlyList<AlternationRound> Execute(Sampler first, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var rounds = new List<AlternationRound>();
        var sampler = first;
        for (int round = 1; round <= options.Rounds; round++)
        {
            var done = Tune(round, sampler, rounds.LastOrDefault()?.ModelPath, progress, cancellation);
            cancellation.ThrowIfCancellationRequested();
            if (options.Rounds > 1)
                done = Judge(done, progress, cancellation);
            if (round < options.Rounds)
                (sampler, done) = Next(done, progress, cancellation);
            rounds.Add(done);
        }

        return rounds;
    }

    /// <summary>Fits the run's solver on a sampler's sigmas, for the weights of a student.</summary>
    public Sampler Fit(Sampler sampler, IDenoiser student, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var fit = options.Fit! with { Solver = options.Solver };
        using var embedding = model.OpenEmbedding(fit);
        return new SamplerFit(model, student, fit, options.Seed, embedding).Fit([sampler], progress, cancellation).Single().Sampler;
    }

    private AlternationRound Tune(
        int round, Sampler sampler, string? startFrom, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using var start = startFrom is null ? null : model.OpenAlike(startFrom);
        var tuning = options.Tuning with { Seed = SeedHash.Derive(options.Seed, round) };
        string path = folder.Round(round);
        List<string> remarks = [];
        var place = new TuningRunOptions { Folder = path, WriteSnapshots = false, Pipeline = model.Pipeline, Remark = remarks.Add };
        var run = new TuningRun(
            model.Config, model.Network!, sampler, tuning, place, tuningImages, start?.Network!.Weights, model.Teacher, embedding);
        using var events = new EventLog(Path.Combine(folder.Events, $"round-{round}"));
        var observer = new TuningObserver
        {
            Progress = progress,
            Update = events.Training,
            Point = point => events.Scalar("tune/held_out", point.HeldOut, point.Update),
        };
        return new AlternationRound(round, sampler, run.Execute(observer, cancellation), run.ModelPath, null, [], remarks);
    }

    // The rounds' own held-out metrics follow their own schedules' teachers; this one is the same for all.
    private AlternationRound Judge(AlternationRound round, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        using var tuned = model.OpenAlike(round.ModelPath);
        var fine = StandardSchedule.Karras().Create(JudgeSteps, model.ScheduleRange.SigmaMin, model.ScheduleRange.SigmaMax);
        var teacher = new SamplingLoop(model.Denoiser, new HeunSolver(), fine);
        var student = new SamplingLoop(tuned.Denoiser, round.Sampler.Solver, round.Sampler.Schedule);
        var distance = PairedComparison.Measure(
            student, teacher, SeedPlan.Judged(options.Tuning.HeldOutCount), options.BatchSize, progress, cancellation);
        var cost = new LedgerLineSummary(
            FormattableString.Invariant($"judging round {round.Round}"), distance.Evaluations, 0, watch.Elapsed.TotalSeconds);
        return round with { TeacherDistance = distance.MeanRootMeanSquare, Further = [.. round.Further, cost] };
    }

    private (Sampler Sampler, AlternationRound Done) Next(
        AlternationRound done, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        var sampler = folder.Start(done.Round + 1, () => NextStart(done, progress, cancellation));
        var cost = new LedgerLineSummary(FormattableString.Invariant($"errors of the intervals after round {done.Round}"),
            sampler.Origin.Evaluations ?? 0, 0, watch.Elapsed.TotalSeconds);
        return (sampler, done with { Further = [.. done.Further, cost] });
    }

    private Sampler NextStart(AlternationRound done, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using var tuned = model.OpenAlike(done.ModelPath);
        var (student, teacher) = (new CountingDenoiser(tuned.Denoiser), new CountingDenoiser(model.Denoiser));
        var residuals = IntervalResiduals.Measure(
            student, done.Sampler, options.Tuning.Teacher(teacher, done.Sampler.Schedule), options.Tuning, cancellation);
        var moved = IntervalResiduals.Equalized(done.Sampler.Schedule, residuals);
        var sampler = new Sampler(moved, SolverCatalog.Find(options.Solver))
        {
            Origin = new SamplerOrigin
            {
                Schedule = RunPlan.Name(options, done.Round + 1),
                Source = ScheduleSource.Alternation,
                Evaluations = student.Images + teacher.Images,
                ModelHash = model.NetworkHash,
                Seed = options.Seed,
            },
        };
        // Losses that are about Euler's steps alone start from the sigmas.
        return options.Fit is null || options.Tuning.StepsByEuler ? sampler : Fit(sampler, student, progress, cancellation);
    }
}

/// <summary>One round of an <see cref="Alternation"/>.</summary>
internal sealed record AlternationRound(
    int Round, Sampler Sampler, TuningReport Report, string ModelPath, double? TeacherDistance, IReadOnlyList<LedgerLineSummary> Further,
    IReadOnlyList<string> Remarks);
