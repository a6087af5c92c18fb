using FewStep.Noise;
using System.Xml.Linq;
using FewStep.Reporting.Charts;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>The loss curve and where Phase 1 put its sigmas.</summary>
internal static class LossCurveSection
{
    private const int MostMarked = 2;

    public static XElement? Build(RunSummary summary, MethodStyles styles)
    {
        if (summary.LossCurve is not { } curve || !LossCurveChart.Drawable(curve).Any())
        {
            return null;
        }

        ScheduleSummary[] marked = [.. Marked(summary)];
        (XElement, string)[] legend =
        [
            (Figure.Sample(Svg.Band([(0, 14, 2), (16, 14, 2)], "band"), Svg.Marker(MarkerShape.Circle, 8, 8, 2, "measured")), $"measured, {NumberText.Percent(curve.Confidence)} interval"),
            (Figure.LineSample("fit"), "monotone fit"),
            .. marked.Select(s => (Figure.Chip(styles.Of(s.Name, null)), s.Name)),
        ];
        string images = curve.ImagesPerPoint > 0 ? $", {NumberText.Count(curve.ImagesPerPoint)} images each" : "";
        string later = marked.Any(s => s.Source == ScheduleSource.Alternation) ? " Those of a later round follow the curve of the model that was tuned before it as well." : "";
        return Element.Section(
            "loss-curve",
            "Loss curve",
            Figure.Build(
                size => LossCurveChart.Draw(curve, marked, styles, size),
                $"Training loss of the pre-trained model at {NumberText.Count(curve.Points.Count)} noise levels{images}. Phase 1 places its sigmas by this curve alone.{later}",
                legend));
    }

    // The result's own schedule first, then what Phase 1 found.
    private static IEnumerable<ScheduleSummary> Marked(RunSummary summary)
    {
        string? result = summary.Evaluations.FirstOrDefault(e => e.Role == EvaluationRole.Result)?.Schedule;
        return summary.Schedules
            .Where(s => s.Source == ScheduleSource.Phase1 || s.Name == result)
            .Where(s => s.Sigmas.Any(v => v > 0 && double.IsFinite(v)))
            .OrderBy(s => s.Name == result ? 0 : 1)
            .Take(MostMarked);
    }
}
