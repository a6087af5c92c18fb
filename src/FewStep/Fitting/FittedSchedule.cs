using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Fitting;

/// <summary>A solver that was fitted on a schedule, with how near it comes to the teacher and what that cost. Residuals are mean squares of
/// a value's difference at the end, values of pixels in [-1, 1].</summary>
internal sealed record FittedSchedule
{
    public required SamplingSchedule Schedule { get; init; }

    /// <summary>The fitted solver, or the base where the fit was no better on held-out latents.</summary>
    public required ISolver Solver { get; init; }

    /// <summary>Residual on the latents fitted on; null where the base was kept.</summary>
    public double? Fitted { get; init; }

    public required LossEstimate HeldOut { get; init; }

    /// <summary>Held-out residual of the base solver on the schedule that was begun with.</summary>
    public required LossEstimate Base { get; init; }

    /// <summary>What residuals are measured in.</summary>
    public required string Distance { get; init; }

    /// <summary>Network evaluations; those of the teacher's paths serve all schedules of a fit and count for each.</summary>
    public long Evaluations { get; init; }

    /// <summary>Those of the teacher's paths alone.</summary>
    public long TeacherEvaluations { get; init; }

    /// <summary>Seconds without those of the teacher's paths.</summary>
    public double Seconds { get; init; }

    /// <summary>Those of the teacher's paths, which serve all schedules of a fit.</summary>
    public double TeacherSeconds { get; init; }

    public required string Stop { get; init; }
}
