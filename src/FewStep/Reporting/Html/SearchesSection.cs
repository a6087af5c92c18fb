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
            [new("Optimiser", false), new("For", false), new("Steps", false), new("Network evaluations", true), new("Time", true)],
            [.. summary.Searches.Select(Row)]);
        return Element.Section(
            "searches",
            "Searches",
            Element.Table(table, "Schedule searches"),
            Element.Note("Network evaluations are counted during the search, for all its numbers of steps together. A loss curve is measured once and shared by all searches that use it."),
            new XElement("h3", "Objectives, and why each search stopped"),
            Element.Facts(summary.Searches.SelectMany(Story)));
    }

    private static IReadOnlyList<ReportCell> Row(ComparisonSearch s) =>
    [
        new(PlainText.OneLine(s.Optimizer)),
        new(PlainText.OneLine(s.FoundFor ?? "any solver")),
        new(string.Join(", ", s.Schedules.Select(f => NumberText.Count(f.Steps)))),
        new(NumberText.Count(s.NetworkEvaluations), s.LossCurveEvaluations > 0 ? $"+ {NumberText.Count(s.LossCurveEvaluations)} of the loss curve" : null),
        new(NumberText.Duration(s.Seconds)),
    ];

    // What all numbers of steps have in common is said once.
    private static IEnumerable<(string Name, string Value)> Story(ComparisonSearch s) =>
        from found in s.Schedules
        group found by (found.Objective, found.Search, found.StopReason) into same
        let steps = string.Join(", ", same.Select(f => NumberText.Count(f.Steps)))
        select ($"{s.Optimizer}{(s.FoundFor is null ? "" : $" for {s.FoundFor}")}, {steps} step{(steps == "1" ? "" : "s")}", $"{same.Key.Objective}; {same.Key.Search}; stopped: {same.Key.StopReason}");
}
