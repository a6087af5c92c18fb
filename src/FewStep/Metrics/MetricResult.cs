namespace FewStep.Metrics;

/// <summary>A sampler's figures, with their spread over disjoint ranges of seeds.</summary>
/// <param name="Figures">What was measured.</param>
/// <param name="Spreads">The values of each.</param>
/// <param name="Images">Images in each range.</param>
/// <param name="EvaluationsPerImage">Network evaluations an image (NFE), counted while sampling.</param>
public sealed record MetricResult(
    IReadOnlyList<MetricFigure> Figures, IReadOnlyList<SeedRangeSpread> Spreads, int Images, double EvaluationsPerImage)
{
    /// <summary>Mean of the first figure over the ranges.</summary>
    public double Mean => Spreads[0].Mean;

    /// <summary>Its standard deviation over the ranges; null for a single one.</summary>
    public double? StandardDeviation => Spreads[0].StandardDeviation;

    /// <summary>All figures, e.g. <c>FD 0.123 ± 0.004</c>.</summary>
    public override string ToString() => string.Join(", ", Figures.Zip(Spreads, (figure, spread) => $"{figure.ShortName} {spread}"));
}
