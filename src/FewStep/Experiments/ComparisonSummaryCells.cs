using System.Text.Json.Serialization;
using FewStep.Noise;

namespace FewStep.Experiments;

/// <summary>One cell of a comparison: a schedule with a solver at a number of evaluations.</summary>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record ComparisonCellSummary
{
    /// <summary>The number it is compared at: evaluations an image or steps, as <see cref="ComparisonSummary.Axis"/> says.</summary>
    public required int Number { get; init; }

    /// <summary>Name of the schedule, or of the optimiser that found it.</summary>
    public required string Schedule { get; init; }

    /// <summary>The solver that the schedule was searched for; null for a schedule that suits any.</summary>
    public string? FoundFor { get; init; }

    /// <summary>Where the schedule comes from.</summary>
    public required ScheduleSource Source { get; init; }

    /// <summary>The solver that was used.</summary>
    public required string Solver { get; init; }

    /// <summary>Its steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Network evaluations an image (NFE), counted while sampling.</summary>
    public required double EvaluationsPerImage { get; init; }

    /// <summary>The N+1 noise levels.</summary>
    public required IReadOnlyList<double> Sigmas { get; init; }

    /// <summary>What happens at the last noise level; default <see cref="ScheduleTerminal.SigmaMin"/>.</summary>
    public ScheduleTerminal Terminal { get; init; } = ScheduleTerminal.SigmaMin;

    /// <summary>Distance to real images over the seed ranges; null where it was left out.</summary>
    public DistanceSummary? Distance { get; init; }

    /// <summary>Root-mean-square distance to the teacher's endpoints over the seed ranges; null where it was left out.</summary>
    public DistanceSummary? Endpoint { get; init; }

    /// <summary>How <see cref="Distance"/> stands to the best at the same number; null without one.</summary>
    public ComparisonVerdict? DistanceVerdict { get; init; }

    /// <summary>How <see cref="Endpoint"/> stands to the best at the same number; null without one.</summary>
    public ComparisonVerdict? EndpointVerdict { get; init; }

    /// <summary>Wall-clock seconds of sampling and features, all ranges.</summary>
    public required double Seconds { get; init; }

    /// <summary>Whether the schedule was searched for another solver than the one that is used.</summary>
    [JsonIgnore]
    public bool IsTransfer => FoundFor is not null && FoundFor != Solver;

    /// <summary>Name of the schedule, with the solver that it was found for where that is another one.</summary>
    [JsonIgnore]
    public string ScheduleLabel => IsTransfer ? $"{Schedule} of {FoundFor}" : Schedule;
}

/// <summary>How a cell stands to the best at its number.</summary>
public enum ComparisonStanding
{
    /// <summary>It has the least mean.</summary>
    Best,

    /// <summary>The seed ranges do not tell it from the best.</summary>
    Undecided,

    /// <summary>It is worse than the best beyond the spread over seed ranges.</summary>
    Behind,
}

/// <summary>A cell against the best at its number, by paired differences over the seed ranges.</summary>
/// <param name="Standing">What can be said.</param>
/// <param name="Difference">Mean over the ranges of this cell's value less the best one's.</param>
/// <param name="HalfWidth">Half-width of the difference's one-sided 95 % interval (Student's t over the ranges); null with a single range, whose spread is unknown.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record ComparisonVerdict(ComparisonStanding Standing, double Difference, double? HalfWidth = null);

/// <summary>A cell that was not measured.</summary>
/// <param name="Number">Evaluations an image, or steps.</param>
/// <param name="Solver">The solver.</param>
/// <param name="Reason">Why.</param>
/// <param name="Schedule">The schedule; null where the solver has no such number of evaluations at all.</param>
public sealed record ComparisonLeftOutSummary(int Number, string Solver, string Reason, string? Schedule = null);
