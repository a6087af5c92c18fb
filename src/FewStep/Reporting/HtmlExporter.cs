using FewStep.Experiments;
using FewStep.Reporting.Html;

namespace FewStep.Reporting;

/// <summary>One page that needs nothing else: pictures, charts, style and script are inside, and nothing is fetched.</summary>
internal static class HtmlExporter
{
    public static string Render(Summary summary, Func<string, byte[]?> image)
    {
        var page = new ReportPage(summary) { Image = image };
        return HtmlDocument.Render(
            summary.Title, string.Join(" · ", About(summary)),
            ReportSections.Filled(page).Select(s => Element.Section(s.Section.Id, s.Section.Heading, s.Blocks.Select(Element.Of))));
    }

    private static IEnumerable<string> About(Summary summary)
    {
        string?[] facts =
        [
            summary.Model?.Name,
            summary.Data?.Name,
            summary.Seeds is { } seeds ? $"{NumberText.Count(seeds.Ranges)} × {NumberText.Count(seeds.Images)} images a row" : null,
            $"seed {summary.Manifest.Seed.ToString(CultureInfo.InvariantCulture)}",
            summary.Manifest.Started == default ? null
                : summary.Manifest.Started.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        ];
        return facts.OfType<string>().Distinct();
    }
}
