using FewStep.Solvers;

namespace FewStep.Cli.Verbs;

/// <summary>What <c>fewstep evaluate</c> is asked to compare.</summary>
/// <param name="Schedules">The schedules.</param>
/// <param name="Steps">Numbers of solver steps.</param>
/// <param name="Solvers">The solvers.</param>
internal sealed record EvaluationRequest(IReadOnlyList<ScheduleSpec> Schedules, IReadOnlyList<int> Steps, IReadOnlyList<ISolver> Solvers)
{
    /// <summary>Schedules that tuned models are measured on, as given; null for all.</summary>
    public IReadOnlyList<string>? TunedSchedules { get; init; }

    /// <summary>Numbers of steps that tuned models are measured at; null for all.</summary>
    public IReadOnlyList<int>? TunedSteps { get; init; }

    /// <summary>Number of steps that the headline and the images are about; null for 4, or the fewest.</summary>
    public int? ShownSteps { get; init; }

    /// <summary>The fine sampler to show beside: schedule, steps (null for a file) and solver; null for none.</summary>
    public (string Schedule, int? Steps, ISolver Solver)? Teacher { get; init; }

    /// <summary>Whether the schedules need a loss curve.</summary>
    public bool NeedsCurve => Schedules.Any(s => s is ScheduleSpec.Phase1);

    /// <summary>Whether tuned models are measured on a schedule.</summary>
    /// <param name="spec">The schedule.</param>
    /// <param name="steps">Its number of steps.</param>
    public bool IsForTuned(ScheduleSpec spec, int steps) => (TunedSchedules?.Contains(spec.Text) ?? true) && (TunedSteps?.Contains(steps) ?? true);
}
