using FewStep.Reporting.Charts;

namespace FewStep.Reporting;

/// <summary>How a method looks in every chart and table.</summary>
/// <param name="CssClass">Class that carries its colour.</param>
/// <param name="Shape">Shape of its data points.</param>
internal sealed record MethodStyle(string CssClass, MarkerShape Shape);
