using System.Xml.Linq;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>The same seeds under each solver and schedule at one number.</summary>
internal static class ComparisonImagesSection
{
    public static XElement? Build(ComparisonSummary summary, ComparisonStyles styles, Func<string, byte[]?> image)
    {
        if (summary.ImageStrips.Count == 0)
        {
            return null;
        }

        string number = $"{NumberText.Count(summary.ShownNumber)} {(summary.Axis == ComparisonAxis.Evaluations ? "evaluations" : "steps")}";
        int cells = summary.Cells.Count(c => c.Number == summary.ShownNumber && !c.IsTransfer);
        int rows = summary.ImageStrips.Count - (summary.Teacher is null ? 0 : 1);
        return Element.Section(
            "images",
            $"The same seeds at {number}",
            Element.Classed("div", "strips", summary.ImageStrips.Select(s => ImagesSection.Row(s, styles.Schedule(s.Schedule).Points, Facts(s, summary), image(s.Path)))),
            Element.Note($"{ImagesSection.Seeds(summary.ImageStrips)} The best {(rows < cells ? $"{NumberText.Count(rows)} of {NumberText.Count(cells)} " : "")}first{(summary.Teacher is null ? "." : ", the teacher last.")}"));
    }

    private static string Facts(ImageStripSummary strip, ComparisonSummary summary)
    {
        ComparisonCellSummary? cell = summary.Cells.FirstOrDefault(c => c.Number == summary.ShownNumber && c.ScheduleLabel == strip.Schedule && c.Solver == strip.Solver);
        List<string> facts = [$"{NumberText.Evaluations(strip.EvaluationsPerImage)} NFE"];
        if (summary.Metric is { } metric && (cell is null ? summary.Teacher?.Distance : cell.Distance) is { } distance)
        {
            facts.Add($"{metric.ShortName} {NumberText.WithSpread(distance.Mean, distance.Spread)}");
        }

        if (cell?.Endpoint is { } endpoint)
        {
            facts.Add($"endpoint {NumberText.WithSpread(endpoint.Mean, endpoint.Spread)}");
        }

        return string.Join(" · ", facts);
    }
}
