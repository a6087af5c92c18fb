using System.Globalization;
using System.Xml.Linq;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>What was run and what came out.</summary>
internal static class HeadlineSection
{
    public static XElement Build(RunSummary summary, MethodStyles styles)
    {
        string[] sentences = [.. RunHeadline.Sentences(summary)];
        return new XElement(
            "header",
            new XElement("h1", summary.Title),
            Element.Classed("p", "what", string.Join(" · ", What(summary))),
            Element.Classed("p", "lead", sentences[0]),
            Tiles(summary, styles),
            sentences.Length == 1 ? null : new XElement("ul", sentences.Skip(1).Select(s => new XElement("li", s))));
    }

    private static IEnumerable<string> What(RunSummary summary)
    {
        yield return summary.Model.Name;
        if (summary.Data is { } data)
        {
            yield return data.Name;
        }

        yield return summary.Steps == 1 ? "1 step" : $"{NumberText.Count(summary.Steps)} steps";
        yield return $"seed {summary.Manifest.Seed.ToString(CultureInfo.InvariantCulture)}";
        if (summary.Manifest.Started != default)
        {
            yield return summary.Manifest.Started.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        }
    }

    private static XElement? Tiles(RunSummary summary, MethodStyles styles)
    {
        (string Name, EvaluationSummary? Evaluation)[] tiles =
        [
            .. new[] { ("before", EvaluationRole.Baseline), ("after", EvaluationRole.Result), ("teacher", EvaluationRole.Teacher) }
                .Select(t => (t.Item1, summary.Evaluations.FirstOrDefault(e => e.Role == t.Item2)))
                .Where(t => t.Item2 is not null),
        ];
        return tiles.Length == 0 ? null : Element.Classed("div", "tiles", tiles.Select(t => Tile(t.Name, t.Evaluation!, summary, styles)), Floor(summary.Metric));
    }

    private static XElement Tile(string name, EvaluationSummary e, RunSummary summary, MethodStyles styles) =>
        Element.Classed(
            "div",
            "tile",
            Element.Classed("span", "small", Figure.Chip(styles.Of(e.Schedule, e.Tuning)), $"{summary.Metric.ShortName} {name}"),
            Element.Classed("span", "figure", NumberText.Significant(e.Distance?.Mean)),
            Element.Classed("span", "small", $"{MethodName.Of(e, summary)}, {NumberText.Evaluations(e.EvaluationsPerImage)} NFE"));

    private static XElement? Floor(MetricSummary metric) =>
        metric.Floor is null
            ? null
            : Element.Classed(
                "div",
                "tile",
                Element.Classed("span", "small", $"{metric.ShortName} floor"),
                Element.Classed("span", "figure", NumberText.WithSpread(metric.Floor, metric.FloorSpread)),
                Element.Classed("span", "small", "real images against real images"));
}
