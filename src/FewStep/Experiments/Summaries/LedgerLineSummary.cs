using System.Text.Json.Serialization;

namespace FewStep.Experiments;

/// <summary>What one stage of a run cost.</summary>
/// <param name="Stage">Name of the stage, e.g. <c>loss curve</c>.</param>
/// <param name="NetworkEvaluations">Forward passes of one image through the network, with or without gradient.</param>
/// <param name="TrainingUpdates">Optimizer updates.</param>
/// <param name="Seconds">Wall-clock time in seconds.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record LedgerLineSummary(string Stage, long NetworkEvaluations, long TrainingUpdates, double Seconds);
