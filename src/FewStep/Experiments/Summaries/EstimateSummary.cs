using System.Text.Json.Serialization;

namespace FewStep.Experiments;

/// <summary>An estimate with its confidence interval.</summary>
/// <param name="Value">The estimate.</param>
/// <param name="Low">Lower end of the interval; null where unknown.</param>
/// <param name="High">Upper end of the interval; null where unknown.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record EstimateSummary(double Value, double? Low = null, double? High = null);
