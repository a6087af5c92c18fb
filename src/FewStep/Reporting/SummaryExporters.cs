namespace FewStep.Reporting;

/// <summary>The catalogue of files that a report consists of: a new one is its own class and a line here.</summary>
internal static class SummaryExporters
{
    public static IReadOnlyList<ISummaryExporter> All { get; } =
        [new HtmlExporter(), new MarkdownExporter(), new CsvExporter(), new JsonExporter()];
}
