using FewStep.Metrics;
using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>The figures of <c>evaluate --metrics</c> as a table.</summary>
public static class MetricTable
{
    /// <summary>One row a figure; the images' name and network evaluations only where there are several sets.</summary>
    /// <param name="summary">The figures.</param>
    public static ReportTable Build(ImageMetricsSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        bool many = summary.Rows.Count > 1, sampled = summary.Rows.Any(r => r.EvaluationsPerImage is not null);
        var columns = new List<ReportColumn>();
        if (many)
        {
            columns.Add(new("Images of", false));
        }

        if (sampled)
        {
            columns.Add(new("NFE", true));
        }

        columns.AddRange([new("Metric", false), new("Value ± spread", true), new("Images", true), new("Reference", true)]);
        return new ReportTable(columns, [.. summary.Rows.SelectMany(row => row.Figures.Select(figure => (IReadOnlyList<ReportCell>)Row(row, figure, many, sampled)))]);
    }

    private static List<ReportCell> Row(ImageMetricsRow row, ImageMetricFigure figure, bool many, bool sampled)
    {
        var cells = new List<ReportCell>();
        if (many)
        {
            cells.Add(new(PlainText.OneLine(row.Name)));
        }

        if (sampled)
        {
            cells.Add(new(row.EvaluationsPerImage is double evaluations ? NumberText.Evaluations(evaluations) : NumberText.Missing));
        }

        string images = NumberText.Count(figure.Images);
        bool parts = figure.Ranges.Count > 1;
        cells.AddRange(
        [
            new(PlainText.OneLine(figure.Name) + (figure.HigherIsBetter ? " ↑" : " ↓")),
            new(NumberText.WithSpread(figure.Value, figure.StandardDeviation)),
            new(parts && figure.Images == figure.RangeImages ? $"{NumberText.Count(figure.Ranges.Count)} × {images}" : images, parts && figure.Images != figure.RangeImages ? $"(spread: {NumberText.Count(figure.Ranges.Count)} × {NumberText.Count(figure.RangeImages)})" : null),
            new(figure.ReferenceImages is long reference ? NumberText.Count(reference) : figure.ReferenceHash is null ? NumberText.Missing : "statistics"),
        ]);
        return cells;
    }
}
