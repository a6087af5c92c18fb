using FewStep.Metrics;

namespace FewStep.Experiments;

/// <summary>What <c>evaluate --metrics</c> found: the content of <c>image-metrics.json</c>.</summary>
public sealed record ImageMetricsSummary
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "image-metrics.json";

    /// <summary>What was measured, in a line.</summary>
    public required string Title { get; init; }

    /// <summary>What it was compared with: path or name of images or statistics; null for nothing.</summary>
    public string? Reference { get; init; }

    /// <summary>One row a set of images.</summary>
    public required IReadOnlyList<ImageMetricsRow> Rows { get; init; }

    /// <summary>How the metrics were computed.</summary>
    public required MetricOptions Options { get; init; }

    /// <summary>Command line, versions, machine.</summary>
    public required ManifestSummary Manifest { get; init; }

    /// <summary>What to know before believing the figures.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>The figures of one set of images.</summary>
/// <param name="Name">What the images are.</param>
/// <param name="Figures">The figures.</param>
/// <param name="Hash">Hash of stored images; null for sampled ones.</param>
/// <param name="Steps">Solver steps; null for stored images.</param>
/// <param name="EvaluationsPerImage">Network evaluations an image, counted; null for stored images.</param>
public sealed record ImageMetricsRow(string Name, IReadOnlyList<ImageMetricFigure> Figures, string? Hash = null, int? Steps = null, double? EvaluationsPerImage = null);
