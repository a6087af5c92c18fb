using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Experiments;
using FewStep.Platform;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Cli.Verbs;

/// <summary>The schedules and combinations that <c>fewstep evaluate</c> measures.</summary>
internal sealed class EvaluationPlan
{
    private readonly List<Row> _rows = [];
    private readonly List<ComparisonCell> _cells = [];

    private sealed record Row(ScheduleSpec? Spec, ScheduleSummary Summary, SamplingSchedule Schedule);

    /// <summary>The schedules, by number of steps and then in the order given.</summary>
    public IReadOnlyList<ScheduleSummary> Schedules => [.. _rows.Select(r => r.Summary)];

    /// <summary>The combinations, in the same order.</summary>
    public IReadOnlyList<ComparisonCell> Cells => _cells;

    /// <summary>Number of steps that the headline and the images are about.</summary>
    public int ShownSteps { get; private set; }

    /// <summary>Makes all schedules and crosses them with models and solvers.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="models">The models.</param>
    /// <param name="curve">The loss curve; needed by Phase 1.</param>
    /// <param name="identity">What tells a model's images from another's.</param>
    /// <exception cref="InvalidInputException">A schedule is invalid or leaves the model's range.</exception>
    public static EvaluationPlan Create(EvaluationRequest request, ComparedModels models, LossCurve? curve, Func<Model, string> identity)
    {
        var plan = new EvaluationPlan();
        var denoiser = models.First.Denoiser;
        var made = request.Schedules.SelectMany(spec => Make(spec, request.Steps, denoiser, curve)).ToList();
        bool many = made.Select(m => m.Schedule.Steps).Distinct().Count() > 1;
        foreach (var (spec, name, source, schedule) in made.OrderBy(m => m.Schedule.Steps))
        {
            plan.Add(spec, many ? $"{name}, {schedule.Steps} step{(schedule.Steps == 1 ? "" : "s")}" : name, source, schedule);
        }

        foreach (var row in plan._rows)
        {
            plan._cells.AddRange(
                from model in models.All
                where model.Tuning is null || request.IsForTuned(row.Spec!, row.Schedule.Steps)
                from solver in request.Solvers
                select Cell(row, model.Tuning, model.Source, solver, identity));
        }

        int[] steps = [.. plan._cells.Select(c => c.Schedule.Steps).Distinct()];
        plan.ShownSteps = request.ShownSteps ?? (steps.Contains(4) ? 4 : steps[0]);
        if (!steps.Contains(plan.ShownSteps))
        {
            throw new InvalidInputException($"--shown-steps {plan.ShownSteps} is none of the numbers of steps that are measured ({string.Join(", ", steps)}).");
        }

        plan.ChooseRoles();
        if (request.Teacher is var (text, number, method))
        {
            var teacher = SamplerFlags.Read(text, null, number).MakeFor(denoiser, method)!;
            plan.Add(null, $"teacher: {teacher.Origin.Schedule}, {teacher.Schedule.Steps} steps", ScheduleSource.Teacher, teacher.Schedule);
            plan._cells.Add(Cell(plan._rows[^1], null, models.First, method, identity) with { Role = EvaluationRole.Teacher });
        }

        return plan;
    }

    private static IEnumerable<(ScheduleSpec Spec, string Name, ScheduleSource Source, SamplingSchedule Schedule)> Make(
        ScheduleSpec spec,
        IReadOnlyList<int> steps,
        IDenoiser denoiser,
        LossCurve? curve)
    {
        switch (spec)
        {
            case ScheduleSpec.Standard standard:
                return steps.Select(n => (spec, standard.Schedule.Name, ScheduleSource.Standard, standard.Schedule.Create(n, denoiser.SigmaMin, denoiser.SigmaMax)));
            case ScheduleSpec.Phase1 phase1:
                var search = new ScheduleSearchRequest { Steps = steps, SigmaMin = denoiser.SigmaMin, SigmaMax = denoiser.SigmaMax };
                return new DiscretizationLossOptimizer(curve!, [phase1.Weighting]).Search(search).Select(r => (spec, $"Phase 1, {phase1.Weighting.Name}", ScheduleSource.Phase1, r.Schedule));
            default:
                var given = SamplerFlags.Read(spec.Text, null, null).MakeFor(denoiser, Solvers.SolverCatalog.Find("euler"))!;
                return [(spec, Sampling.SamplerFile.NameOf(spec.Text), ScheduleSource.Given, given.Schedule)];
        }
    }

    private static ComparisonCell Cell(Row row, string? tuning, Model model, ISolver solver, Func<Model, string> identity) => new()
    {
        Denoiser = model.Denoiser,
        DenoiserIdentity = identity(model),
        Tuning = tuning,
        ScheduleName = row.Summary.Name,
        Schedule = row.Schedule,
        Solver = solver,
    };

    private void Add(ScheduleSpec? spec, string name, ScheduleSource source, SamplingSchedule schedule)
    {
        string unique = name;
        for (int copy = 2; _rows.Any(r => r.Summary.Name == unique); copy++)
        {
            unique = $"{name} ({copy})";
        }

        _rows.Add(new Row(spec, ScheduleSummary.From(unique, source, schedule), schedule));
    }

    // Karras against the first Phase 1 (else the first file) with the last model that has it.
    private void ChooseRoles()
    {
        var sources = _rows.ToDictionary(r => r.Summary.Name, r => r);
        bool Shown(ComparisonCell cell) => cell.Schedule.Steps == ShownSteps;
        ScheduleSource Source(ComparisonCell cell) => sources[cell.ScheduleName].Summary.Source;
        int baseline = _cells.FindIndex(c => Shown(c) && c.Tuning is null && sources[c.ScheduleName].Spec is ScheduleSpec.Standard { Schedule.Name: "karras" });
        baseline = baseline >= 0 ? baseline : _cells.FindIndex(c => Shown(c) && c.Tuning is null && Source(c) == ScheduleSource.Standard);
        var best = _cells.FirstOrDefault(c => Shown(c) && Source(c) == ScheduleSource.Phase1) ?? _cells.FirstOrDefault(c => Shown(c) && Source(c) == ScheduleSource.Given);
        int result = best is null ? -1 : _cells.FindLastIndex(c => c.ScheduleName == best.ScheduleName && c.Solver == best.Solver);
        if (baseline >= 0)
        {
            _cells[baseline] = _cells[baseline] with { Role = EvaluationRole.Baseline };
        }

        if (result >= 0)
        {
            _cells[result] = _cells[result] with { Role = EvaluationRole.Result };
        }
    }
}
