using FewStep.Experiments;
using FewStep.Platform;
using static FewStep.Reporting.CsvText;

namespace FewStep.Reporting;

/// <summary>The cells of a comparison as comma-separated values (RFC 4180): full precision, a point as decimal separator, empty where a number is missing.</summary>
public static class ComparisonCsv
{
    /// <summary>Name of the file.</summary>
    public const string Name = "compare.csv";

    private const string Header =
        "number,schedule,found_for,source,solver,steps,evaluations_per_image," +
        "metric,distance,distance_spread,distance_values,distance_standing,distance_behind,distance_behind_half_width," +
        "endpoint,endpoint_spread,endpoint_values,endpoint_standing,endpoint_behind,endpoint_behind_half_width," +
        "images_per_range,first_seeds,seconds,terminal,sigmas";

    /// <summary>Writes the file whole or not at all.</summary>
    /// <param name="path">Target.</param>
    /// <param name="summary">The comparison.</param>
    public static void Write(string path, ComparisonSummary summary) => AtomicFile.WriteText(path, Render(summary));

    /// <summary>The text of the file, with lines ended by a line feed.</summary>
    /// <param name="summary">The comparison.</param>
    public static string Render(ComparisonSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return CsvText.File(Header, summary.Cells.Select(cell => Fields(cell, summary)));
    }

    private static IEnumerable<string> Fields(ComparisonCellSummary c, ComparisonSummary summary)
    {
        IReadOnlyList<SeedRangeSummary> ranges = (c.Distance ?? c.Endpoint)?.Ranges ?? [];
        return
        [
            Number(c.Number), Text(c.Schedule), Text(c.FoundFor ?? ""), Text(Lower(c.Source)), Text(c.Solver), Number(c.Steps), Number(c.EvaluationsPerImage),
            Text(summary.Metric?.Name ?? ""), .. Measured(c.Distance, c.DistanceVerdict),
            .. Measured(c.Endpoint, c.EndpointVerdict),
            Number(summary.Seeds.Images), string.Join(' ', ranges.Select(r => Number(r.FirstSeed))), Number(c.Seconds), Text(Lower(c.Terminal)), string.Join(' ', c.Sigmas.Select(s => Number(s))),
        ];
    }

    private static string[] Measured(DistanceSummary? d, ComparisonVerdict? v) =>
    [
        Number(d?.Mean), Number(d?.Spread), string.Join(' ', (d?.Ranges ?? []).Select(r => Number(r.Value))),
        v is null ? "" : Lower(v.Standing), Number(v?.Difference), Number(v?.HalfWidth),
    ];

    private static string Lower<T>(T value)
        where T : struct, Enum
        => value.ToString().ToLowerInvariant();
}
