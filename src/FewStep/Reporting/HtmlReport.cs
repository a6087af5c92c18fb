using System.Xml.Linq;
using FewStep.Reporting.Html;
using FewStep.Experiments;
using FewStep.Platform;

namespace FewStep.Reporting;

/// <summary>A run as one HTML file that needs nothing else: pictures, charts and style are inside, and nothing is fetched.</summary>
public static class HtmlReport
{
    /// <summary>Name of the file in a run folder.</summary>
    public const string Name = "report.html";

    /// <summary>Writes <see cref="Name"/> into a run folder, whole or not at all.</summary>
    /// <param name="summary">The run.</param>
    /// <param name="folder">The run folder, which holds the image strips; a strip that is missing is said to be missing in the report.</param>
    /// <exception cref="InvalidInputException">A strip's path leads out of the folder, or the file cannot be written.</exception>
    public static void Write(RunSummary summary, string folder) =>
        AtomicFile.WriteText(Path.Combine(folder, Name), Render(summary, path => StripFile.Read(folder, path)));

    /// <summary>The report's text.</summary>
    /// <param name="summary">The run.</param>
    /// <param name="image">Gives the PNG bytes of an image strip from its path; null where there is none.</param>
    public static string Render(RunSummary summary, Func<string, byte[]?> image)
    {
        ArgumentNullException.ThrowIfNull(summary);
        ArgumentNullException.ThrowIfNull(image);
        var styles = new MethodStyles(summary);
        XElement?[] sections =
        [
            HeadlineSection.Build(summary, styles),
            WarningsSection.Build(summary),
            ResultsSection.Build(summary, styles),
            ImagesSection.Build(summary, styles, image),
            SchedulesSection.Build(summary, styles),
            LossCurveSection.Build(summary, styles),
            TuningSection.Build(summary, styles),
            LedgerSection.Build(summary),
            ManifestSection.Build(summary),
        ];
        return HtmlDocument.Render(summary.Title, [.. sections.OfType<XElement>()]);
    }
}
