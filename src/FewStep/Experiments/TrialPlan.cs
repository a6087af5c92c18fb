using FewStep.Sampling;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Experiments;

/// <summary>What is to be crossed: schedules, solvers and numbers, on one model and on tunings of it.</summary>
internal sealed record TrialPlanOptions
{
    private const int MaximumNumber = 1000;

    /// <summary>The models: first the one as it came, whose tuning is null, then tuned ones by name.</summary>
    public required IReadOnlyList<(string? Tuning, Model Model)> Models { get; init; }

    /// <summary>Schedules; each is made, searched or taken for every solver at every number.</summary>
    public IReadOnlyList<ScheduleChoice> Schedules { get; init; } = [];

    /// <summary>Samplers, which have solver and steps of their own.</summary>
    public IReadOnlyList<SamplerChoice> Samplers { get; init; } = [];

    /// <summary>Solvers for the schedules; their names differ.</summary>
    public IReadOnlyList<ISolver> Solvers { get; init; } = [];

    /// <summary>What is held equal between solvers; default <see cref="ComparisonAxis.Steps"/>.</summary>
    public ComparisonAxis Axis { get; init; } = ComparisonAxis.Steps;

    /// <summary>Numbers of steps, or of evaluations an image, each 1 to 1,000. A schedule or sampler that is given has its own.</summary>
    public IReadOnlyList<int> Numbers { get; init; } = [];

    /// <summary>The fine sampler of the first model; null (default) for none.</summary>
    public Sampler? Teacher { get; init; }

    /// <summary>Whether schedules found for one solver are measured with the others too; default true. None is searched for it.</summary>
    public bool Transfer { get; init; } = true;

    /// <summary>Names of the schedules that tuned models are measured on; null (default) for all.</summary>
    public IReadOnlyList<string>? TunedSchedules { get; init; }

    /// <summary>Numbers that tuned models are measured at; null (default) for all.</summary>
    public IReadOnlyList<int>? TunedNumbers { get; init; }

    /// <summary>The solver of samplers that name none.</summary>
    public ISolver UsualSolver => Solvers is [var first, ..] ? first : new EulerSolver();

    public void Check() => new OptionRules("The trials cannot be planned")
        .Require(Schedules.Count + Samplers.Count > 0, $"there is no schedule and no sampler")
        .Require(Schedules.Count == 0 || Solvers.Count > 0, $"there is no solver for the schedules")
        .Require(Solvers.Select(s => s.Name).Distinct().Count() == Solvers.Count, $"a solver occurs twice")
        .Require(Schedules.Select(s => s.Name).Distinct().Count() == Schedules.Count, $"a schedule's name occurs twice")
        .Require(
            Schedules.All(s => s is ScheduleChoice.Given) || (Numbers.Count > 0 && Numbers.All(n => n is >= 1 and <= MaximumNumber)),
            $"numbers of evaluations or steps must lie between 1 and {MaximumNumber}, not '{string.Join(", ", Numbers)}'")
        .Check();
}

/// <summary>Trials of every schedule, made or searched, with every solver at every number on every model.</summary>
internal sealed class TrialPlan
{
    private readonly TrialPlanOptions _options;
    private readonly List<Slot> _slots = [];
    private readonly List<Cell> _cells = [];
    private readonly List<LeftOutSummary> _leftOut = [];

    private TrialPlan(TrialPlanOptions options)
    {
        options.Check();
        _options = options;
        foreach (int number in options.Numbers.Distinct().Order())
        {
            foreach (var solver in options.Solvers)
            {
                if ((options.Axis == ComparisonAxis.Steps ? number : SolverCost.StepsFor(solver, number)) is int steps)
                {
                    _slots.Add(new Slot(number, solver, steps));
                }
                else
                {
                    _leftOut.Add(new LeftOutSummary(number, solver.Name,
                        FormattableString.Invariant($"no number of steps takes {number} evaluation{(number == 1 ? "" : "s")}")));
                }
            }
        }

        if (_slots.Count == 0 && options.Schedules.Any(s => s is not ScheduleChoice.Given))
        {
            throw new InvalidInputException(
                $"None of the solvers ({string.Join(", ", options.Solvers.Select(s => s.Name))}) makes "
                    + $"{string.Join(" or ", options.Numbers)} evaluations: "
                + "solvers of two stages a step need even numbers. Choose other numbers, or compare by steps.");
        }
    }

    /// <summary>The trials by number, then schedule, model and solver; the teacher last.</summary>
    public IReadOnlyList<Trial> Trials { get; private set; } = [];

    public IReadOnlyList<LeftOutSummary> LeftOut => _leftOut;
    private Model First => _options.Models[0].Model;

    /// <summary>Refuses what is impossible, before anything is measured.</summary>
    public static IReadOnlyList<int> Check(TrialPlanOptions options, SearchSources sources)
    {
        var plan = new TrialPlan(options);
        foreach (var given in options.Schedules.OfType<ScheduleChoice.Given>())
            ScheduleRange.Check(given.Schedule, given.Name, plan.First.Denoiser);
        if (options.Teacher is { } teacher)
            ScheduleRange.Check(teacher.Schedule, $"of the teacher ({teacher})", plan.First.Denoiser);
        SearchStore.Check(sources, options);
        return [.. plan._slots.Select(s => s.Steps).Distinct().Order()];
    }

    /// <summary>Makes or searches all schedules and crosses them with models and solvers.</summary>
    public static TrialPlan Create(
        TrialPlanOptions options, SearchStore searches, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var plan = new TrialPlan(options);
        var (low, high) = (plan.First.ScheduleRange.SigmaMin, plan.First.ScheduleRange.SigmaMax);
        foreach (var schedule in options.Schedules)
        {
            switch (schedule)
            {
                case ScheduleChoice.Standard standard:
                    foreach (var slot in plan._slots)
                        plan.Add(schedule, null, slot, standard.Schedule.Create(slot.Steps, low, high));
                    break;
                case ScheduleChoice.Given given:
                    foreach (var solver in options.Solvers)
                    {
                        plan.Add(
                            schedule, null, new Slot(plan.Number(solver, given.Schedule), solver, given.Schedule.Steps), given.Schedule);
                    }

                    break;
                case ScheduleChoice.Searched searched:
                    plan.Add(searched, searches, progress, cancellation);
                    break;
            }
        }

        foreach (var choice in options.Samplers)
            plan.Add(choice, searches, progress, cancellation);
        plan.Trials = plan.Cross();
        return plan.Trials.Any(t => t.Role != TrialRole.Teacher) ? plan
            : throw new InvalidInputException($"Nothing can be measured: {plan._leftOut[^1].Reason}");
    }

    /// <summary>The number that headline and pictures are about.</summary>
    public int Shown(int? wanted)
    {
        int[] measured = [.. Trials.Where(t => t.Role != TrialRole.Teacher).Select(t => t.Number!.Value).Distinct().Order()];
        int[] usual = measured.Intersect(_options.Numbers).Any() ? [.. measured.Intersect(_options.Numbers)] : measured;
        int number = wanted ?? (usual.Contains(4) ? 4 : usual[0]);
        return measured.Contains(number)
            ? number
            : throw new InvalidInputException(
                $"{number} is to be shown, but is none of the numbers that are measured ({string.Join(", ", measured)}).");
    }

    /// <summary>Gives the roles of an evaluation: the baseline is the first standard schedule with a solver that is not fitted, the result
    /// the first fitted sampler, else Phase 1's schedule, else the first other one that is no standard, with the last model that has
    /// it.</summary>
    public IReadOnlyList<Trial> WithRoles(int number)
    {
        var trials = Trials.ToList();
        bool Candidate(Trial t) => t.Number == number && t.Role != TrialRole.Teacher;
        int baseline = trials.FindIndex(t => Candidate(t) && t.Tuning is null
            && t.Sampler is { Origin.Source: ScheduleSource.Standard, Solver: not FittedSolver });
        var best = trials.FirstOrDefault(t => Candidate(t) && t.Sampler.Solver is FittedSolver)
            ?? trials.FirstOrDefault(t => Candidate(t) && t.Sampler.Origin.Source == ScheduleSource.Phase1)
            ?? trials.FirstOrDefault(t => Candidate(t) && t.Sampler.Origin.Source is ScheduleSource.Given or ScheduleSource.OtherSearch);
        int result = best is null ? -1 : trials.FindLastIndex(
            t => Candidate(t) && t.ScheduleName == best.ScheduleName && t.Sampler.Solver.Name == best.Sampler.Solver.Name);
        if (baseline >= 0)
            trials[baseline] = trials[baseline] with { Role = TrialRole.Baseline };
        if (result >= 0 && result != baseline)
            trials[result] = trials[result] with { Role = TrialRole.Result };
        return trials;
    }

    private Trial[] Cross() =>
    [
        .. from cell in _cells.OrderBy(c => c.Number)
           from model in _options.Models
           where model.Tuning is null || IsForTuned(cell)
           select new Trial(model.Model, cell.Sampler)
           { Tuning = model.Tuning, FoundFor = cell.FoundFor, Number = cell.Number, File = cell.File },
        .. _options.Teacher is null ? []
            : new[]
            {
                new Trial(First, _options.Teacher)
                { Role = TrialRole.Teacher, Number = Number(_options.Teacher.Solver, _options.Teacher.Schedule) }
            },
    ];

    private bool IsForTuned(Cell cell) =>
        (_options.TunedSchedules is null || cell.Schedule is null || _options.TunedSchedules.Contains(cell.Schedule.Name))
        && (_options.TunedNumbers?.Contains(cell.Number) ?? true);

    private void Add(
        ScheduleChoice.Searched searched, SearchStore searches, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var found = new Dictionary<string, IReadOnlyDictionary<int, SamplingSchedule>>();
        bool isForSolver = searched.Optimizer.Entry.IsForSolver;
        ISolver?[] targets = isForSolver ? [.. _options.Solvers] : [null];
        foreach (var target in targets)
        {
            Slot[] own = [.. _slots.Where(s => target is null || s.Solver == target)];
            if (own.Length == 0)
                continue;
            found[target?.Name ?? ""] = Found([.. own.Select(s => s.Steps).Distinct().Order()]);

            // All numbers at once, which is cheaper; each by itself where that fails, so that one that cannot be searched does not cost the
            // others.
            IReadOnlyDictionary<int, SamplingSchedule> Found(int[] steps)
            {
                try
                {
                    return searches.Find(searched.Optimizer, target, steps, progress, cancellation);
                }
                catch (InvalidInputException e) when (!searches.IsReadOnly && !e.IsOfStorage)
                {
                    if (steps.Length > 1)
                        return steps.SelectMany(n => Found([n])).ToDictionary();
                    _leftOut.AddRange(own.Where(s => s.Steps == steps[0])
                        .Select(s => new LeftOutSummary(s.Number, s.Solver.Name, e.Message, searched.Name)));
                    return new Dictionary<int, SamplingSchedule>();
                }
            }
        }

        foreach (var slot in _slots)
        {
            foreach (var (target, schedules) in found.Where(f => !isForSolver || f.Key == slot.Solver.Name || _options.Transfer))
            {
                // No schedule is searched for another solver's sake, so one may be missing.
                if (schedules.TryGetValue(slot.Steps, out var schedule))
                    Add(searched, isForSolver ? target : null, slot, schedule);
            }
        }
    }

    private void Add(SamplerChoice choice, SearchStore searches, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (choice.Schedule is ScheduleChoice.Searched searched)
        {
            var (solver, steps) = (choice.Solver ?? _options.UsualSolver, choice.Steps!.Value);
            bool isForSolver = searched.Optimizer.Entry.IsForSolver;
            var sigmas = searches.Find(searched.Optimizer, isForSolver ? solver : null, [steps], progress, cancellation)[steps];
            Add(searched, isForSolver ? solver.Name : null, new Slot(Number(solver, sigmas), solver, steps), sigmas);
        }
        else
        {
            var sampler = choice.MakeFor(First, _options.UsualSolver)!;
            _cells.Add(new Cell(Number(sampler.Solver, sampler.Schedule), null, null, sampler)
            { File = (choice.Schedule as ScheduleChoice.Given)?.File });
        }
    }

    private void Add(ScheduleChoice schedule, string? foundFor, Slot slot, SamplingSchedule sigmas)
    {
        var origin = new SamplerOrigin { Schedule = schedule.Name, Source = schedule.Source, ModelHash = First.NetworkHash };
        _cells.Add(new Cell(slot.Number, schedule, foundFor, new Sampler(sigmas, slot.Solver) { Origin = origin })
        { File = (schedule as ScheduleChoice.Given)?.File });
    }

    private int Number(ISolver solver, SamplingSchedule schedule) =>
        _options.Axis == ComparisonAxis.Steps ? schedule.Steps : SolverCost.Evaluations(solver, schedule);

    private sealed record Slot(int Number, ISolver Solver, int Steps);

    private sealed record Cell(int Number, ScheduleChoice? Schedule, string? FoundFor, Sampler Sampler)
    {
        public string? File { get; init; }
    }
}
