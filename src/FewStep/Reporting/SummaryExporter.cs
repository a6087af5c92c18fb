using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>One of the files that a report consists of.</summary>
/// <param name="FileName">Its name in the experiment's folder.</param>
/// <param name="Text">Makes the file's text of a summary and the folder, which holds the pictures.</param>
internal sealed record SummaryExporter(string FileName, Func<Summary, string, string> Text)
{
    /// <summary>The catalogue: a new one is its own class and a line here.</summary>
    public static IReadOnlyList<SummaryExporter> All { get; } =
    [
        new(Report.FileName, (summary, folder) => HtmlExporter.Render(summary, path => StripFile.Read(folder, path))),
        new("report.md", (summary, _) => MarkdownExporter.Render(summary)),
        new("metrics.csv", (summary, _) => CsvExporter.Render(summary)),
        new(Summary.FileName, (summary, _) => JsonSerializer.Serialize(summary, JsonFile.Options) + "\n"),
    ];
}
