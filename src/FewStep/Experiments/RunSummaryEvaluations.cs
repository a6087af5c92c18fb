using System.Text.Json.Serialization;

namespace FewStep.Experiments;

/// <summary>What an evaluation is to the headline.</summary>
public enum EvaluationRole
{
    /// <summary>One more row of the table.</summary>
    Comparison,

    /// <summary>What the result is measured against; at most one.</summary>
    Baseline,

    /// <summary>What the run delivers; at most one.</summary>
    Result,

    /// <summary>The fine sampler that tuning follows.</summary>
    Teacher,
}

/// <summary>An estimate with its confidence interval.</summary>
/// <param name="Value">The estimate.</param>
/// <param name="Low">Lower end of the interval; null where unknown.</param>
/// <param name="High">Upper end of the interval; null where unknown.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record EstimateSummary(double Value, double? Low = null, double? High = null);

/// <summary>One measured combination of schedule, tuning and solver.</summary>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record EvaluationSummary
{
    /// <summary>Name of the schedule, as in <see cref="RunSummary.Schedules"/>.</summary>
    public required string Schedule { get; init; }

    /// <summary>Name of the tuning, e.g. <c>trajectory</c>; null for the weights as they came.</summary>
    public string? Tuning { get; init; }

    /// <summary>Name of the solver.</summary>
    public required string Solver { get; init; }

    /// <summary>Solver steps N.</summary>
    public required int Steps { get; init; }

    /// <summary>Network evaluations an image (NFE), counted while sampling, not derived.</summary>
    public required double EvaluationsPerImage { get; init; }

    /// <summary>Discretization loss J of the schedule with g = -ln sigma (power 0), in squared pixel units per value; null where it was not computed.</summary>
    public EstimateSummary? LossPower0 { get; init; }

    /// <summary>Discretization loss J of the schedule with g = 1 / sigma (power 1); null where it was not computed.</summary>
    public EstimateSummary? LossPower1 { get; init; }

    /// <summary>The metric; null where no images were compared.</summary>
    public DistanceSummary? Distance { get; init; }

    /// <summary>What it is to the headline; default <see cref="EvaluationRole.Comparison"/>.</summary>
    public EvaluationRole Role { get; init; }
}
