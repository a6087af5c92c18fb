using FewStep.Experiments;
using FewStep.Reporting;

namespace FewStep;

/// <summary>What an experiment found, for people, spreadsheets and programs.</summary>
public static class Report
{
    /// <summary>Name of the page.</summary>
    public const string FileName = "report.html";

    /// <summary>Writes <c>report.html</c> (one file that needs nothing else), <c>report.md</c>, <c>metrics.csv</c> and <c>metrics.json</c>,
    /// each whole or not at all.</summary>
    /// <param name="summary">What was found.</param>
    /// <param name="folder">Receives the files; holds the pictures. One that is missing is said to be missing.</param>
    /// <exception cref="InvalidInputException">A picture's path leads out of the folder, or a file cannot be written.</exception>
    public static void Write(Summary summary, string folder)
    {
        ArgumentNullException.ThrowIfNull(summary);
        foreach (SummaryExporter exporter in SummaryExporter.All)
            AtomicFile.Write(Path.Combine(folder, exporter.FileName), file => exporter.Write(summary, folder, file));
    }
}
