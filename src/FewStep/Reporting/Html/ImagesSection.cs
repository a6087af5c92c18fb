using System.Globalization;
using System.Xml.Linq;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>The same seeds under each method, one row a method.</summary>
internal static class ImagesSection
{
    public static XElement? Build(RunSummary summary, MethodStyles styles, Func<string, byte[]?> image) =>
        summary.ImageStrips.Count == 0
            ? null
            : Element.Section(
                "images",
                "The same seeds under each method",
                Element.Classed("div", "strips", summary.ImageStrips.Select(s => Row(s, styles.Of(s.Schedule, s.Tuning), Facts(s, summary), image(s.Path)))),
                Element.Note(Seeds(summary.ImageStrips)));

    /// <summary>One row: label, facts and the picture.</summary>
    /// <param name="strip">The row.</param>
    /// <param name="style">Look of its method.</param>
    /// <param name="facts">What stands under the label.</param>
    /// <param name="png">The picture; null where it is missing.</param>
    public static XElement Row(ImageStripSummary strip, MethodStyle style, string facts, byte[]? png) =>
        Element.Classed(
            "div",
            "strip",
            Element.Classed(
                "div",
                "strip-label",
                new XElement("strong", Figure.Chip(style), strip.Label),
                Element.Classed("span", "small", facts)),
            png is null
                ? Element.Classed("p", "remark", $"The picture {strip.Path} is missing.")
                : new XElement("img", new XAttribute("alt", $"{strip.Label}: {NumberText.Count(strip.Seeds.Count)} samples, {facts}"), new XAttribute("src", "data:image/png;base64," + Convert.ToBase64String(png))));

    /// <summary>Which seeds the columns show.</summary>
    public static string Seeds(IReadOnlyList<ImageStripSummary> strips)
    {
        if (strips.Any(s => !s.Seeds.SequenceEqual(strips[0].Seeds)))
        {
            return "The rows show different seeds.";
        }

        IReadOnlyList<long> seeds = strips[0].Seeds;
        bool consecutive = seeds.Count > 2 && seeds.Zip(seeds.Skip(1)).All(p => p.Second == p.First + 1);
        string list = consecutive ? $"{Text(seeds[0])} to {Text(seeds[^1])}" : string.Join(", ", seeds.Select(Text));
        return seeds.Count == 0 ? "" : $"Each column is one seed: {list}, from left to right.";
    }

    private static string Facts(ImageStripSummary strip, RunSummary summary)
    {
        EvaluationSummary? evaluation = summary.Evaluations.FirstOrDefault(e => (e.Schedule, e.Tuning, e.Solver) == (strip.Schedule, strip.Tuning, strip.Solver));
        return $"{NumberText.Evaluations(strip.EvaluationsPerImage)} NFE · {summary.Metric.ShortName} {NumberText.WithSpread(evaluation?.Distance?.Mean, evaluation?.Distance?.Spread)}";
    }

    private static string Text(long seed) => seed.ToString(CultureInfo.InvariantCulture);
}
