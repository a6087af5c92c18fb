using System.Xml.Linq;
using FewStep.Runs;

namespace FewStep.Reporting.Html;

/// <summary>The searches: what they minimised, what they cost, why they stopped.</summary>
internal static class SearchesSection
{
    public static XElement? Build(ComparisonSummary summary)
    {
        if (summary.Searches.Count == 0)
        {
            return null;
        }

        ReportTable table = new(
            [new("Optimiser", false), new("For", false), new("Steps", false), new("Network evaluations", true), new("Time", true), new("Objective and search", false), new("Stopped because", false)],
            [.. summary.Searches.Select(Row)]);
        return Element.Section(
            "searches",
            "Searches",
            Element.Table(table, "Schedule searches"),
            Element.Note("Network evaluations are counted during the search, for all its numbers of steps together. A loss curve is measured once and shared by all searches that use it."));
    }

    private static IReadOnlyList<ReportCell> Row(ComparisonSearch s) =>
    [
        new(PlainText.OneLine(s.Optimizer)),
        new(PlainText.OneLine(s.FoundFor ?? "any solver")),
        new(string.Join(", ", s.Schedules.Select(f => NumberText.Count(f.Steps)))),
        new(NumberText.Count(s.NetworkEvaluations), s.LossCurveEvaluations > 0 ? $"+ {NumberText.Count(s.LossCurveEvaluations)} of the loss curve" : null),
        new(NumberText.Duration(s.Seconds)),
        Joined(s.Schedules.Select(f => f.Objective), s.Schedules.Select(f => f.Search)),
        Joined(s.Schedules.Select(f => f.StopReason), []),
    ];

    private static ReportCell Joined(IEnumerable<string> texts, IEnumerable<string> details)
    {
        string text = string.Join("; ", texts.Distinct()), detail = string.Join("; ", details.Distinct());
        return new(text.Length == 0 ? NumberText.Missing : PlainText.OneLine(text), detail.Length == 0 ? null : PlainText.OneLine(detail));
    }
}
