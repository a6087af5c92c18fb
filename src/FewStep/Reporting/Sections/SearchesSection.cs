using FewStep.Experiments;

namespace FewStep.Reporting.Sections;

/// <summary>The searches: what they cost, and why they stopped.</summary>
internal sealed class SearchesSection() : ReportSection("searches", "Searches")
{
    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
    {
        IReadOnlyList<SearchSummary> searches = page.Summary.Searches;
        if (searches.Count == 0)
            yield break;
        yield return new TableBlock(
            new(
                [new("Search", false), new("For", false), new("Steps", false), new("Network evaluations", true), new("Time", true),
                    new("Stopped because", false)],
                [.. searches.Select(s => new ReportRow(
                [
                    new(s.Name),
                    new(s.FoundFor ?? "any solver"),
                    ReportCell.Of(string.Join(", ", s.Steps.Select(n => NumberText.Count(n)))),
                    new(NumberText.Count(s.NetworkEvaluations),
                        s.LossCurveEvaluations > 0 ? $"+ {NumberText.Count(s.LossCurveEvaluations)} of the loss curve" : null),
                    new(NumberText.Duration(s.Seconds)),
                    ReportCell.Of(s.StopReason),
                ]))]),
            "Schedule searches");
        yield return new TextBlock(
            "Network evaluations are counted during the search, for all its numbers of steps together. A loss curve is measured once and "
                + "shared by all searches that use it.", TextWeight.Note);
    }
}
