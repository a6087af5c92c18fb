using FewStep.Experiments;
using FewStep.Platform;
using static FewStep.Reporting.CsvText;

namespace FewStep.Reporting;

/// <summary>The measured combinations as comma-separated values (RFC 4180): full precision, a point as decimal separator, empty where a number is missing.</summary>
/// <remarks>Text that a spreadsheet would take for a formula starts with an apostrophe.</remarks>
public static class MetricsCsv
{
    private const string Header =
        "schedule,tuning,solver,role,steps,evaluations_per_image,j_power_0,j_power_0_low,j_power_0_high,j_power_1,j_power_1_low,j_power_1_high," +
        "metric,mean,spread,ranges,images_per_range,values,first_seeds,sigmas";

    /// <summary>Writes the file whole or not at all.</summary>
    /// <param name="path">Target.</param>
    /// <param name="summary">The run.</param>
    public static void Write(string path, RunSummary summary) => AtomicFile.WriteText(path, Render(summary));

    /// <summary>The text of the file, with lines ended by a line feed.</summary>
    /// <param name="summary">The run.</param>
    public static string Render(RunSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return CsvText.File(Header, summary.Evaluations.Select(evaluation => Fields(evaluation, summary)));
    }

    private static IEnumerable<string> Fields(EvaluationSummary e, RunSummary summary)
    {
        IReadOnlyList<SeedRangeSummary> ranges = e.Distance?.Ranges ?? [];
        IReadOnlyList<double> sigmas = summary.Schedules.FirstOrDefault(s => s.Name == e.Schedule)?.Sigmas ?? [];
        return
        [
            Text(e.Schedule), Text(e.Tuning ?? ""), Text(e.Solver), Text(e.Role.ToString().ToLowerInvariant()), Number(e.Steps), Number(e.EvaluationsPerImage),
            .. Estimate(e.LossPower0), .. Estimate(e.LossPower1),
            Text(summary.Metric.Name), Number(e.Distance?.Mean), Number(e.Distance?.Spread), Number(ranges.Count), Number(ranges.Count == 0 ? null : ranges.Min(r => r.Images)),
            string.Join(' ', ranges.Select(r => Number(r.Value))), string.Join(' ', ranges.Select(r => Number(r.FirstSeed))), string.Join(' ', sigmas.Select(s => Number(s))),
        ];
    }

    private static string[] Estimate(EstimateSummary? e) => [Number(e?.Value), Number(e?.Low), Number(e?.High)];
}
