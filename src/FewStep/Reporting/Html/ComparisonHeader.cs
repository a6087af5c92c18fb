using System.Globalization;
using System.Xml.Linq;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>What was compared and what came out.</summary>
internal static class ComparisonHeader
{
    public static XElement Build(ComparisonSummary summary) => new(
        "header",
        new XElement("h1", summary.Title),
        Element.Classed("p", "what", string.Join(" · ", What(summary))),
        new XElement("ul", ComparisonSentences.Results(summary).Select(s => new XElement("li", s))),
        ComparisonSentences.Conditions(summary).Select(Element.Note));

    private static IEnumerable<string> What(ComparisonSummary summary)
    {
        yield return summary.Model.Name;
        if (summary.Data is { } data)
        {
            yield return data.Name;
        }

        yield return $"{NumberText.Count(summary.Cells.Select(c => c.Solver).Distinct().Count())} solvers";
        yield return $"{NumberText.Count(summary.Cells.Select(c => c.Schedule).Distinct().Count())} schedules";
        yield return $"{string.Join(", ", summary.Numbers.Select(n => NumberText.Count(n)))} {(summary.Axis == ComparisonAxis.Evaluations ? "evaluations" : "steps")}";
        if (summary.Manifest.Started != default)
        {
            yield return summary.Manifest.Started.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        }
    }
}
