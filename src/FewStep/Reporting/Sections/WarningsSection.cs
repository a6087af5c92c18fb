using FewStep.Experiments;

namespace FewStep.Reporting.Sections;

/// <summary>What to know before believing the rest: rivals that cost no more, the experiment's own warnings, what was left out.</summary>
internal sealed class WarningsSection() : ReportSection("warnings", "Warnings and negative results", isBrief: true)
{
    private const int MostLeftOut = 100;

    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
        => Sentences(page) is { Count: > 0 } sentences ? [new ListBlock(sentences)] : [];

    public static IReadOnlyList<string> Sentences(ReportPage page) => [.. Rival(page), .. page.Summary.Warnings, .. LeftOut(page.Summary)];

    // What costs no more and has a better mean, whether for certain or by chance. Whoever picked the baseline may have picked a weak one.
    private static IEnumerable<string> Rival(ReportPage page)
    {
        if (page.Main is not { } main || page.Result is not { } result || !result.Has(main))
            yield break;
        TrialSummary? rival = page.Best(
            page.Summary.Trials.Where(t => t.Role != TrialRole.Teacher && t.EvaluationsPerImage <= result.EvaluationsPerImage));
        if (rival is not null && rival != result)
        {
            TrialComparison comparison = TrialComparison.Of(rival, result, main);
            string verdict = comparison.IsBetter == false ? "is worse than" : "is not shown to be better than";
            yield return $"The result {verdict} {page.Label(rival)}, which costs no more: {main.ShortName} "
                + $"{FigureText.Value(result, main)} against {FigureText.Value(rival, main)}; {comparison.Words}.";
        }
    }

    private static IEnumerable<string> LeftOut(Summary summary)
    {
        var reasons = summary.LeftOut.GroupBy(l => (l.Solver, l.Schedule, Reason: l.Reason.TrimEnd('.'))).ToList();
        var sentences = reasons.Take(MostLeftOut)
            .Select(g => $"Left out: {g.Key.Solver}{(g.Key.Schedule is null ? "" : $" with {g.Key.Schedule}")} at "
                + $"{string.Join(", ", g.Select(l => NumberText.Count(l.Number)))}: {g.Key.Reason}.");
        return reasons.Count <= MostLeftOut ? sentences
            : sentences.Append($"Left out: {NumberText.Count(reasons.Count - MostLeftOut)} more, named in {Summary.FileName}.");
    }
}
