using FewStep.Sampling;
using FewStep.Search;
using FewStep.Shards;
using FewStep.Solvers;

namespace FewStep.Fitting;

/// <summary>Fits a solver's weights to a model on given schedules, in closed form and without gradients.</summary>
/// <remarks>
/// A multistep solver's step is an affine combination of the state and of the denoiser's outputs so far, so for given sigmas the best
/// weights are a linear least-squares problem: step by step, on the states that the sampler as fitted so far reaches itself, against the
/// state that a fine teacher from the same latents has at the step's end. Later steps so repair what earlier ones miss.
/// </remarks>
internal sealed class SolverFit(
    IDenoiser denoiser, IDenoiser teacher, FitOptions options, long firstSeed, IImageEmbedding embedding)
{
    private readonly FitOptions _options = options.Checked();
    private readonly CountingDenoiser _denoiser = new(denoiser), _teacher = new(teacher);
    private readonly ISolver _base = SolverCatalog.Find(options.Solver);

    /// <summary>The stage of divided work that the fit is; null (default) for all of it.</summary>
    public Division? Division { get; init; }

    /// <summary>What tells the models from others, for divided work; default nothing.</summary>
    public string ModelIdentity { get; init; } = "";

    /// <summary>Where refinements are kept, to be gone on with; null (default) for nowhere.</summary>
    public RefinementFolder? Refinements { get; init; }

    private long Evaluated => _denoiser.Images + _teacher.Images;

    /// <summary>Fits one solver for each sampler, each when it is asked for; schedules that begin and end alike share the teacher's
    /// paths.</summary>
    /// <param name="samplers">Of each sampler the schedules that it may be fitted on, all beginning and ending alike. The first is fitted;
    /// the next where a trial on some of the latents, or with a refinement the whole, ends nearer to the teacher; and so on.</param>
    /// <returns>The number of the sampler, that of the schedule taken, and what was found, with what all of its schedules cost; nothing
    /// after one share of the work.</returns>
    public IEnumerable<(int Index, int Taken, FittedSchedule Result)> Fit(
        IReadOnlyList<IReadOnlyList<SamplingSchedule>> samplers, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (samplers.SelectMany(s => s).FirstOrDefault(s => s.Steps > ScheduleSearchRequest.MaximumSteps) is { } fine)
            throw new InvalidInputException($"{fine.Steps} steps are too many to fit; {ScheduleSearchRequest.MaximumSteps} are the most.");

        using var latents = new FitLatents(
            _denoiser, _options.Latents, _options.HeldOutLatents, _options.BatchSize, _options.Label, firstSeed);
        var groups = samplers.Select((schedules, i) => (Schedules: schedules, Index: i))
            .GroupBy(s => (s.Schedules[0].Sigmas[0], s.Schedules[0].Sigmas[^1], s.Schedules[0].Terminal)).ToList();
        List<IReadOnlyList<SamplingSchedule>> alike = [.. groups.Select(g => g.SelectMany(s => s.Schedules).ToList())];
        string identity = Identity(alike, latents);
        var work = new DividedTeacher(identity, alike, latents, embedding, _teacher.Device,
            (group, batches) => new TeacherStates(_teacher, alike[group], latents, _options, embedding, progress, cancellation, batches),
            () => _teacher.Images, progress, cancellation);
        if ((Division is null ? work.Whole() : Division.Run(work)) is not { } paths)
            yield break;
        for (int g = 0; g < groups.Count; g++)
        {
            var (states, evaluations, seconds) = paths.Of(g);
            using var owned = states;
            foreach (var (schedules, index) in groups[g])
            {
                var (taken, fitted) = Nearest(schedules, latents, states, identity, progress, cancellation);
                yield return (index, taken, fitted with
                {
                    Evaluations = evaluations + fitted.Evaluations,
                    TeacherEvaluations = evaluations,
                    TeacherSeconds = seconds,
                });
            }
        }
    }

    private (int Taken, FittedSchedule Result) Nearest(IReadOnlyList<SamplingSchedule> schedules, FitLatents latents, TeacherStates teacher,
        string identity, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using var inference = no_grad();
        var (taken, best) = (0, One(schedules[0], latents, teacher, identity, progress, cancellation));
        var (evaluations, seconds) = (best.Evaluations, best.Seconds);
        for (int i = 1; i < schedules.Count && taken == i - 1; i++)
        {
            // What a closed form says of the end is not what a refinement makes of it.
            if (_options.RefineIterations == 0)
            {
                var (watch, before) = (Stopwatch.StartNew(), Evaluated);
                var (_, tried) = ClosedForm(schedules[i], latents, teacher, isTrial: true, progress, cancellation);
                evaluations += Evaluated - before;
                seconds += watch.Elapsed.TotalSeconds;
                if (!(tried[latents.Tried..].Average() < best.HeldOut.Value))
                    break;
            }

            var other = One(schedules[i], latents, teacher, identity, progress, cancellation);
            evaluations += other.Evaluations;
            seconds += other.Seconds;
            if (other.HeldOut.Value < best.HeldOut.Value)
                (taken, best) = (i, other);
        }

        return (taken, best with { Evaluations = evaluations, Seconds = seconds });
    }

    private string Identity(IEnumerable<IEnumerable<SamplingSchedule>> groups, FitLatents latents)
    {
        string sigmas = string.Join('\n', groups.Select(g => string.Join('\n', g.Select(Identity))));
        return InvariantText.Of($"fit of {ModelIdentity}\n{_options}, {latents.Tried} tried, from seed {firstSeed} ")
            + InvariantText.Of($"by {embedding.Identity}\n{sigmas}");
    }

    private static string Identity(SamplingSchedule schedule) => InvariantText.Of($"{schedule.Terminal} {schedule.ExactSigmas}");

    private FittedSchedule One(SamplingSchedule schedule, FitLatents latents, TeacherStates teacher, string identity,
        IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var (watch, before) = (Stopwatch.StartNew(), Evaluated);
        var (corrections, fitted) = ClosedForm(schedule, latents, teacher, isTrial: false, progress, cancellation);
        var solver = new FittedSolver(_base, schedule, corrections);
        var begun = schedule;
        RefinedSolver? refined = null;
        double[] plain = teacher.MeanSquares(_denoiser, _base, schedule, latents, latents.HeldOutBatches, cancellation);
        if (_options.RefineIterations > 0)
        {
            watch.Stop();
            var counting = new CountingDenoiser(denoiser); // apart from the fit's: earlier sittings of the refinement are added to it
            // By its sigmas and not by what was just fitted on them, whose last bits may differ the next time.
            var kept = Refinements?.Open($"{identity}\nrefined from {Identity(schedule)}");
            refined = new JointRefinement(
                counting, _base, _options.Corrections, latents, new TeacherDistance(counting, latents, teacher)).Refine(
                schedule, solver, _options.RefineIterations, progress, cancellation, kept);
            watch.Start();
            (schedule, solver) = (refined.Schedule, refined.Solver);
            if (refined.Iterations > 0)
                fitted = teacher.MeanSquares(_denoiser, solver, schedule, latents, latents.Batches, cancellation);
        }

        var (heldOut, baseHeldOut) = (MeanEstimate.Of(fitted[latents.Fitted..]), MeanEstimate.Of(plain));
        bool improved = heldOut.Value < baseHeldOut.Value;
        return new FittedSchedule
        {
            Schedule = improved ? schedule : begun,
            Solver = improved ? solver : _base,
            Fitted = improved ? fitted[..latents.Fitted].Average() : null,
            HeldOut = improved ? heldOut : baseHeldOut,
            Base = baseHeldOut,
            Distance = embedding.Name,
            Evaluations = Evaluated - before + (refined?.Evaluations ?? 0),
            Seconds = watch.Elapsed.TotalSeconds + (refined?.Seconds ?? 0),
            Stop = !improved ? $"kept {_base.Name}: the fit is no better on held-out latents"
                : refined is { Iterations: > 0 and int iterations } ? FormattableString.Invariant($"closed form, {iterations} refinements")
                : _options.KeepMeanSquare ? "closed form" : "closed form, mean square not kept",
        };
    }

    // The corrections of every step, and each image's mean square distance from the teacher's, those of the images fitted on first.
    private (StepCorrection[] Corrections, double[] Squares) ClosedForm(
        SamplingSchedule schedule, FitLatents latents, TeacherStates teacher, bool isTrial, IProgress<WorkProgress>? progress,
        CancellationToken cancellation)
    {
        var (batches, fitted, doing) = isTrial ? (latents.TrialBatches, latents.Tried, "trying other sigmas")
            : ([.. latents.Batches], latents.Fitted, "fitting");
        var corrections = new StepCorrection[schedule.Steps];
        using var run = new LatentRun(_denoiser, _base, schedule, latents, schedule.Steps, batches);
        for (int i = 0; i < schedule.Steps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var terms = Terms(i);
            var squares = new StepLeastSquares(fitted, _options.Ridge, _options.KeepMeanSquare);
            foreach (int b in batches)
            {
                using var scope = NewDisposeScope();
                var step = run.Begin(b);
                double h = 1 - (step.NextSigma / step.Sigma);
                squares.Add([.. terms.Select(t => Direction(t, step).Times_(h))], run.BaseNext(b), teacher.State(step.NextSigma, b));
            }

            corrections[i] = Best(squares, terms, i);
            run.Finish(corrections[i]);
            progress?.Report(new WorkProgress(InvariantText.Of($"{doing}, N = {schedule.Steps}"), i + 1, schedule.Steps, "steps"));
        }

        return (corrections, teacher.MeanSquares(batches, run.End));
    }

    // What may be added at step i: the differences, the newest first, then the slope, then the state.
    private List<Term> Terms(int i)
    {
        int past = Math.Min(i, _options.Order - 1);
        return
        [
            .. Enumerable.Range(1, Has(FitCorrections.Differences) ? past : 0).Select(j => new Term(FitCorrections.Differences, j)),
            .. new[] { FitCorrections.Slope, FitCorrections.Scale }.Where(Has).Select(kind => new Term(kind)),
        ];

        bool Has(FitCorrections kind) => _options.Corrections.HasFlag(kind);
    }

    private static Tensor Direction(Term term, SolverStep step) => term.Kind switch
    {
        FitCorrections.Differences => step.History[term.Back - 1].Denoised
            - (term.Back == 1 ? step.Denoised : step.History[term.Back - 2].Denoised),
        FitCorrections.Slope => step.State - step.Denoised,
        _ => step.State.clone(),
    };

    // Of the differences the newest so many, with and without each of the others: the choice that is best on held-out images.
    private static StepCorrection Best(StepLeastSquares squares, List<Term> terms, int step)
    {
        int differences = terms.Count(t => t.Kind == FitCorrections.Differences), others = terms.Count - differences;
        var best = (Weights: new double[terms.Count], HeldOut: double.PositiveInfinity);
        for (int kept = 0; kept <= differences; kept++)
        {
            for (int set = 0; set < 1 << others; set++)
            {
                int[] chosen = [.. Enumerable.Range(0, kept),
                    .. Enumerable.Range(0, others).Where(k => (set >> k & 1) == 1).Select(k => differences + k)];
                if (squares.Solve(chosen) is { } found && found.HeldOut < best.HeldOut && found.Weights.All(FittedSolver.IsPossible))
                    best = found;
            }
        }

        double Weight(FitCorrections kind) => terms.FindIndex(t => t.Kind == kind) is >= 0 and int k ? best.Weights[k] : 0;
        return double.IsFinite(best.HeldOut)
            ? new StepCorrection
            {
                Differences = [.. best.Weights.Take(differences)],
                Slope = Weight(FitCorrections.Slope),
                Scale = Weight(FitCorrections.Scale),
            }
            : throw new InvalidInputException($"Step {step} of the sampler reached values that are not finite: check that checkpoint and "
                + "preconditioning belong together.");
    }

    private readonly record struct Term(FitCorrections Kind, int Back = 0);
}
