using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Experiments;

/// <summary>What a run compares: the standard schedules, Phase 1, Phase 1 and 2, and a fine teacher.</summary>
internal sealed class RunPlan(Model model, RunOptions options)
{
    private readonly ISolver _solver = SolverCatalog.Find(options.Solver);

    /// <summary>The fine sampler that the pictures and the table show: the tuning's teacher on the baseline's schedule.</summary>
    public Trial Teacher
        => new(model, Standard(options.Baselines[0], options.TeacherSteps, SolverCatalog.Find(options.Tuning.TeacherSolver)))
        { Role = TrialRole.Teacher };

    /// <summary>The trials in the order of the report.</summary>
    public IReadOnlyList<Trial> Trials(
        IReadOnlyList<ScheduleSearchResult> found, Sampler fitted, AlternationRound? best, Model? tuned)
    {
        var powers = DiscretizationLossOptimizer.Weightings(options.Power);
        List<Trial> trials =
        [
            .. options.Baselines.Select((name, i) => new Trial(model, Standard(name, options.Steps, _solver))
            {
                Role = i == 0 ? TrialRole.Baseline : TrialRole.Comparison,
                IsShown = i == 0,
            }),
            .. found.Select((result, i) => new Trial(
                model, Found(result.Schedule, DiscretizationLossOptimizer.NameOf(powers[i]), ScheduleSource.Phase1))
            {
                Role = i == 0 && best is null && options.Fit is null ? TrialRole.Result : TrialRole.Comparison,
                IsShown = i == 0,
            }),
        ];
        Trial[] students = [trials[0], trials[options.Baselines.Count]];
        foreach (var rival in options.RivalSolvers.Select(SolverCatalog.Find).Where(rival => rival.Name != _solver.Name))
        {
            trials.AddRange(
                students.Select(t => t with { Sampler = t.Sampler with { Solver = rival }, Role = TrialRole.Comparison, IsShown = false }));
        }

        if (options.Fit is not null)
            trials.Add(new Trial(model, fitted) { Role = best is null ? TrialRole.Result : TrialRole.Comparison });
        if (best is not null)
            trials.Add(new Trial(tuned!, best.Sampler) { Role = TrialRole.Result, Tuning = EnumName.Of(options.Tuning.Loss!.Value) });

        return [.. trials, Teacher];
    }

    /// <summary>What tables call the schedule of a round.</summary>
    public static string Name(RunOptions options, int round)
    {
        string first = DiscretizationLossOptimizer.NameOf(new PowerWeighting(options.Power));
        return round == 1 ? first : FormattableString.Invariant($"{first}, round {round}");
    }

    private Sampler Standard(string name, int steps, ISolver solver) =>
        new(StandardSchedules.Create(name, steps, model.ScheduleRange.SigmaMin, model.ScheduleRange.SigmaMax), solver)
        { Origin = new SamplerOrigin { Schedule = name, Source = ScheduleSource.Standard } };

    private Sampler Found(SamplingSchedule schedule, string name, ScheduleSource source) =>
        new(schedule, _solver) { Origin = new SamplerOrigin { Schedule = name, Source = source, ModelHash = model.NetworkHash } };
}
