using System.Xml.Linq;
using FewStep.Experiments;

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

        return Element.Section(
            "searches",
            "Searches",
            Element.Table(ComparisonTables.Searches(summary), "Schedule searches"),
            Element.Note("Network evaluations are counted during the search, for all its numbers of steps together. A loss curve is measured once and shared by all searches that use it."),
            new XElement("h3", "Objectives, and why each search stopped"),
            Element.Facts(summary.Searches.SelectMany(Story)));
    }

    // What all numbers of steps have in common is said once.
    private static IEnumerable<(string Name, string Value)> Story(ComparisonSearch s) =>
        from found in s.Schedules
        group found by (found.Objective, found.Search, found.StopReason) into same
        let steps = string.Join(", ", same.Select(f => NumberText.Count(f.Steps)))
        select ($"{s.Optimizer}{(s.FoundFor is null ? "" : $" for {s.FoundFor}")}, {steps} step{(steps == "1" ? "" : "s")}", $"{same.Key.Objective}; {same.Key.Search}; stopped: {same.Key.StopReason}");
}
