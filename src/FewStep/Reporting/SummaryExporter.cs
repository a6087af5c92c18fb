using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>One of the files that a report consists of.</summary>
/// <param name="FileName">Its name in the experiment's folder.</param>
/// <param name="Write">Writes the file of a summary and the folder, which holds the pictures.</param>
internal sealed record SummaryExporter(string FileName, Action<Summary, string, Stream> Write)
{
    /// <summary>The catalogue: a new one is its own class and a line here.</summary>
    public static IReadOnlyList<SummaryExporter> All { get; } =
    [
        new(Report.FileName, (summary, folder, file) => Lines([HtmlExporter.Render(summary, path => StripFile.Read(folder, path))], file)),
        new("report.md", (summary, _, file) => Lines([MarkdownExporter.Render(summary)], file)),
        new("metrics.csv", (summary, _, file) => Lines(CsvExporter.Lines(summary), file)),
        new(Summary.FileName, (summary, _, file) =>
        {
            JsonSerializer.Serialize(file, summary, JsonFile.Options);
            file.Write("\n"u8);
        }),
    ];

    // Line by line, for there may be more than a text can hold.
    private static void Lines(IEnumerable<string> lines, Stream file)
    {
        using var text = new StreamWriter(file, leaveOpen: true);
        foreach (string line in lines)
            text.Write(line);
    }
}
