using FewStep.Fitting;
using FewStep.Matching;
using FewStep.Reporting.Html;

namespace FewStep.Reporting;

/// <summary>The page of a match: how near each sampler's images come to real ones, what it costs, and its weights as a picture.</summary>
internal static class MatchPage
{
    public const string FileName = "match.html";

    private static readonly ReportTable Columns = new(
        [
            new("sampler", false), new("distance", true), new("before", true), new("matched on", true), new("evaluations", true),
            new("seconds", true), new("how", false), new("sigmas", false),
        ], []);

    /// <param name="features">By what images are compared.</param>
    public static string Render(string model, string features, MatchOptions options, IReadOnlyList<WrittenMatch> matches) =>
        HtmlDocument.Render($"{model}: samplers matched to real images", $"by {features}, {NumberText.Count(options.Latents)} latents",
            [Element.Section("matches", "How near they come", [.. Blocks(options, matches).Select(Element.Of)]),
                .. matches.Select(m => FitPage.Weights(m.Match.Sampler, Words(m.Match.Result)))]);

    /// <summary>A row a sampler.</summary>
    public static ReportTable Table(IEnumerable<WrittenMatch> matches) =>
        Columns with { Rows = [.. matches.Select(m => new ReportRow([.. Cells(m.Match)]))] };

    private static IEnumerable<ReportBlock> Blocks(MatchOptions options, IReadOnlyList<WrittenMatch> matches)
    {
        yield return new TableBlock(Table(matches), "Matched samplers");
        yield return new TextBlock($"Distance: Fréchet distance to the real images, on {NumberText.Count(options.HeldOutLatents)} held-out "
            + "latents; it falls with their number, and was made small here. Judge the samplers on features of another network "
            + "(evaluate).", TextWeight.Note);
    }

    private static IEnumerable<ReportCell> Cells(MatchedSampler match)
    {
        var (sampler, found) = (match.Sampler, match.Result);
        yield return new($"{NumberText.Count(sampler.Steps)} steps");
        yield return new(NumberText.Significant(found.After.HeldOut, 3));
        yield return new(NumberText.Significant(found.Before.HeldOut, 3));
        yield return new(NumberText.Significant(found.After.Fitted, 3));
        yield return new(NumberText.Count(found.Evaluations));
        yield return new(NumberText.Significant(found.Seconds, 3));
        yield return new(Words(found));
        yield return new(string.Join(", ", sampler.Schedule.Sigmas.Select(s => NumberText.Sigma(s))));
    }

    private static string Words(RefinedSolver found) => found.Iterations switch
    {
        0 => "as it was: nothing is nearer on held-out latents",
        1 => "1 iteration",
        _ => $"{NumberText.Count(found.Iterations)} iterations",
    };
}
