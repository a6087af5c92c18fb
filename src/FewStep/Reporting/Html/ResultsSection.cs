using System.Xml.Linq;
using FewStep.Reporting.Charts;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>The measured combinations as chart and table.</summary>
internal static class ResultsSection
{
    public static XElement? Build(RunSummary summary, MethodStyles styles)
    {
        if (summary.Evaluations.Count == 0)
        {
            return null;
        }

        ReportTable table = EvaluationTable.Build(summary, brief: false);
        return Element.Section(
            "results",
            "Comparison",
            Chart(summary, styles),
            Element.Table(
                table,
                "Schedules, tunings and solvers compared",
                row => summary.Evaluations[row].Role == EvaluationRole.Result ? "result" : null,
                row => Figure.Chip(styles.Of(summary.Evaluations[row].Schedule, summary.Evaluations[row].Tuning))),
            Notes(summary).Select(Element.Note));
    }

    private static XElement? Chart(RunSummary summary, MethodStyles styles)
    {
        ChartRow[] rows = [.. summary.Evaluations.Where(e => e.Distance?.Ranges.Any(r => r.Value > 0 && double.IsFinite(r.Value)) == true).Select(e => Row(e, summary, styles))];
        if (rows.Length == 0)
        {
            return null;
        }

        MetricSummary metric = summary.Metric;
        (double, string)? floor = metric.Floor is { } value && value > 0 && double.IsFinite(value) ? (value, $"floor {NumberText.WithSpread(value, metric.FloorSpread)}") : null;
        return Figure.Build(
            size => new RowChart(rows, size, floor).Draw("metric", $"{metric.Name} of each method", $"{metric.Name}, log scale, lower is better"),
            "Filled: mean over the seed ranges. Hollow: each range. At the right: mean ± spread, and network evaluations an image (NFE).");
    }

    private static ChartRow Row(EvaluationSummary e, RunSummary summary, MethodStyles styles)
    {
        DistanceSummary distance = e.Distance!;
        string name = MethodName.Of(e, summary);
        IEnumerable<ChartRowPoint> ranges = distance.Ranges.Count < 2
            ? []
            : distance.Ranges.Select(r => new ChartRowPoint(r.Value, $"{name}: {NumberText.Significant(r.Value, 4)} ({NumberText.Count(r.Images)} images from seed {NumberText.Count(r.FirstSeed)})", IsMinor: true));
        return new ChartRow(name, styles.Of(e.Schedule, e.Tuning), [.. ranges, new ChartRowPoint(distance.Mean, $"{name}: mean {NumberText.WithSpread(distance.Mean, distance.Spread)}")])
        {
            Note = $"{NumberText.WithSpread(distance.Mean, distance.Spread)} · {NumberText.Evaluations(e.EvaluationsPerImage)} NFE",
        };
    }

    private static IEnumerable<string> Notes(RunSummary summary)
    {
        MetricSummary metric = summary.Metric;
        if (summary.Evaluations.Any(e => e.Distance is not null))
        {
            yield return $"{metric.Name}: {metric.Description}";
            yield return FloorText.Sentence(metric) ?? "The floor (real images against real images) was not measured.";
            yield return $"Spread is the standard deviation over disjoint ranges of image seeds{(SameSeeds(summary) ? ", which are the same for every method" : "")}. Better and worse are said where the 95 % interval of the difference (Student's t, of pairs of equal seeds) excludes 0; it knows of chance in the seeds only.";
        }

        yield return "NFE: network evaluations an image, counted while sampling.";
        if (summary.Evaluations.Any(e => e.LossPower0 is not null || e.LossPower1 is not null))
        {
            yield return "J: discretization loss of the schedule on the model's loss curve, with its confidence interval; power 0 weighs by −ln\u00a0σ, power 1 by 1/σ. It is a bound, not a measure of image quality.";
        }
    }

    private static bool SameSeeds(RunSummary summary) =>
        summary.Evaluations.Select(e => e.Distance).OfType<DistanceSummary>().Select(d => string.Join(' ', d.Ranges.Select(r => $"{r.FirstSeed}+{r.Images}"))).Distinct().Count() == 1;
}
