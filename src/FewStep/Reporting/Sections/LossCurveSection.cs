using FewStep.Experiments;
using FewStep.Reporting.Charts;
using FewStep.Reporting.Html;

namespace FewStep.Reporting.Sections;

/// <summary>The loss curve and where Phase 1 put its sigmas.</summary>
internal sealed class LossCurveSection() : ReportSection("loss-curve", "Loss curve")
{
    private const int MostMarked = 2;

    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
    {
        if (page.Summary.LossCurve is not { } curve || !LossCurveChart.Drawable(curve).Any())
            yield break;
        TrialSummary[] trials = [.. Marked(page)];
        MarkedSchedule[] marked =
            [.. trials.Select(t => new MarkedSchedule(t.Schedule ?? t.Name, t.Sigmas, page.Styles.Of(t.Schedule ?? t.Name, null)))];
        string images = curve.ImagesPerPoint > 0 ? $", {NumberText.Count(curve.ImagesPerPoint)} images each" : "";
        string later = trials.Any(t => t.Source == ScheduleSource.Alternation)
            ? " Those of a later round follow the curve of the model that was tuned before it as well."
            : "";
        yield return new DrawnBlock(() => Figure.Build(
            size => LossCurveChart.Draw(curve, marked, size),
            $"Training loss of the pre-trained model at {NumberText.Count(curve.Points.Count)} noise levels{images}. Phase 1 places its "
                + $"sigmas by this curve alone.{later}",
            [
                (Figure.Sample(Svg.Band([(0, 14, 2), (16, 14, 2)], "band"), Svg.Marker(MarkerShape.Circle, 8, 8, 2, "measured")),
                    $"measured, {NumberText.Percent(curve.Confidence)} interval"),
                (Figure.LineSample("fit"), "monotone fit"),
                .. marked.Select(s => (Figure.Chip(s.Style), s.Name)),
            ]));
    }

    // The result's own schedule first, then what Phase 1 found.
    private static IEnumerable<TrialSummary> Marked(ReportPage page)
    {
        string? result = page.Result?.Schedule;
        return page.ShownAt(page.Summary.ShownNumber)
            .Where(t => t.Source == ScheduleSource.Phase1 || (result is not null && t.Schedule == result))
            .Where(t => t.Sigmas.Any(v => v > 0 && double.IsFinite(v)))
            .DistinctBy(t => t.ScheduleLabel)
            .OrderBy(t => t.Schedule == result ? 0 : 1)
            .Take(MostMarked);
    }
}
