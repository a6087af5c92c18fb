using FewStep.Checkpoints;
using FewStep.Noise;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Experiments;

/// <summary>What a run compares: the standard schedules, Phase 1, Phase 1 and 2, and a fine teacher.</summary>
/// <param name="model">The pre-trained model.</param>
/// <param name="options">The run's options.</param>
internal sealed class RunPlan(ModelSource model, FewStepRunOptions options)
{
    /// <summary>The combinations in the order of the report.</summary>
    /// <param name="found">Phase 1's schedules, the run's power first.</param>
    /// <param name="best">The round that is kept; null without tuning.</param>
    /// <param name="tuned">Its model; null without tuning.</param>
    public IReadOnlyList<PlannedCell> Cells(IReadOnlyList<ScheduleSearchResult> found, AlternationRound? best, ModelSource? tuned)
    {
        var powers = DiscretizationLossOptimizer.Weightings(options.Power);
        List<PlannedCell> cells =
        [
            .. options.Baselines.Select((name, i) => Student(name, Standard(name, options.Steps), ScheduleSource.Standard, i == 0 ? EvaluationRole.Baseline : EvaluationRole.Comparison, shown: i == 0)),
            .. found.Select((result, i) => Student(PhaseOne(powers[i]), result.Schedule, ScheduleSource.Phase1, i == 0 && best is null ? EvaluationRole.Result : EvaluationRole.Comparison, shown: i == 0)),
        ];
        if (options.RivalSolver is string text && SolverCatalog.Find(text) is var rival && rival.Name != SolverCatalog.Find(options.Tuning.Solver).Name)
        {
            PlannedCell[] students = [cells[0], cells[options.Baselines.Count]];
            cells.AddRange(students.Select(c => Planned(c.Cell.ScheduleName, c.Cell.Schedule, c.Source, rival, EvaluationRole.Comparison, shown: false)));
        }

        if (best is not null)
        {
            bool first = best.Round == 1;
            var planned = Student(Name(best.Round, options.Power), best.Schedule, first ? ScheduleSource.Phase1 : ScheduleSource.Alternation, EvaluationRole.Result, shown: true);
            cells.Add(planned with { Cell = planned.Cell with { Denoiser = tuned!.Denoiser, DenoiserIdentity = Identity(tuned), Tuning = EnumName.Of(options.Tuning.Loss) } });
        }

        string fine = FormattableString.Invariant($"teacher: {options.Baselines[0]}, {options.TeacherSteps} steps");
        cells.Add(Planned(fine, Standard(options.Baselines[0], options.TeacherSteps), ScheduleSource.Teacher, SolverCatalog.Find(options.Tuning.TeacherSolver), EvaluationRole.Teacher, shown: true));
        return cells;
    }

    /// <summary>Name of a round's schedule.</summary>
    /// <param name="round">From 1.</param>
    /// <param name="power">The run's power.</param>
    public static string Name(int round, double power) => round == 1 ? PhaseOne(new PowerWeighting(power)) : FormattableString.Invariant($"Phase 1, round {round}");

    private static string PhaseOne(INoiseWeighting weighting) => $"Phase 1, {weighting.Name}";

    private static string Identity(ModelSource source) => $"{source.Hash} {EnumName.Of(source.Denoiser.ComputeType)}";

    private SamplingSchedule Standard(string name, int steps) => StandardSchedules.Create(name, steps, model.Denoiser.SigmaMin, model.Denoiser.SigmaMax);

    private PlannedCell Student(string name, SamplingSchedule schedule, ScheduleSource source, EvaluationRole role, bool shown) => Planned(name, schedule, source, SolverCatalog.Find(options.Tuning.Solver), role, shown);

    private PlannedCell Planned(string name, SamplingSchedule schedule, ScheduleSource source, ISolver solver, EvaluationRole role, bool shown) => new(
        new ComparisonCell { Denoiser = model.Denoiser, DenoiserIdentity = Identity(model), ScheduleName = name, Schedule = schedule, Solver = solver, Role = role },
        source,
        shown);
}

/// <summary>A combination of a run.</summary>
/// <param name="Cell">What is measured.</param>
/// <param name="Source">Where its schedule comes from.</param>
/// <param name="Shown">Whether the report shows its images.</param>
internal sealed record PlannedCell(ComparisonCell Cell, ScheduleSource Source, bool Shown);
