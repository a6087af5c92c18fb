using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Solvers;

namespace FewStep.Experiments;

/// <summary>One combination of weights, schedule and solver that a comparison measures.</summary>
public sealed record ComparisonCell
{
    /// <summary>The weights; not owned.</summary>
    public required IDenoiser Denoiser { get; init; }

    /// <summary>What tells this denoiser's images from another's: hash of the weights and number format. Stored measurements are found by it.</summary>
    public required string DenoiserIdentity { get; init; }

    /// <summary>Name of the tuning; null for the weights as they came.</summary>
    public string? Tuning { get; init; }

    /// <summary>Name of the schedule.</summary>
    public required string ScheduleName { get; init; }

    /// <summary>The schedule.</summary>
    public required SamplingSchedule Schedule { get; init; }

    /// <summary>The solver.</summary>
    public required ISolver Solver { get; init; }

    /// <summary>What it is to the headline; default <see cref="EvaluationRole.Comparison"/>.</summary>
    public EvaluationRole Role { get; init; }

    /// <summary>For messages: schedule, tuning and solver.</summary>
    public override string ToString() => $"{ScheduleName}{(Tuning is null ? "" : $" + {Tuning}")}, {Solver.Name}";
}
