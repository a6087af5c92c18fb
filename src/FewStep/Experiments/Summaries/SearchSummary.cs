using System.Text.Json.Serialization;

namespace FewStep.Experiments;

/// <summary>A search that gave schedules to an experiment.</summary>
/// <param name="Name">The search with its parameter, e.g. <c>gits:1.15</c>.</param>
/// <param name="FoundFor">The solver that the schedules are made for; null where they suit any.</param>
/// <param name="Steps">Numbers of steps that it found schedules for.</param>
/// <param name="NetworkEvaluations">Network evaluations that were counted, one for each image; without those of the loss curve.</param>
/// <param name="LossCurveEvaluations">Network evaluations of the loss curve that the search asked for, which other searches share; 0
/// without.</param>
/// <param name="Seconds">Wall-clock seconds, without those of the loss curve.</param>
/// <param name="StopReason">Why it stopped, for its last number of steps.</param>
public sealed record SearchSummary(
    string Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FoundFor,
    IReadOnlyList<int> Steps,
    long NetworkEvaluations,
    long LossCurveEvaluations,
    double Seconds,
    string StopReason);
