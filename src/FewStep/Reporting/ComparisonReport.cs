using System.Xml.Linq;
using FewStep.Reporting.Html;
using FewStep.Experiments;
using FewStep.Platform;

namespace FewStep.Reporting;

/// <summary>A comparison of solvers and schedules as one HTML file that needs nothing else.</summary>
public static class ComparisonReport
{
    /// <summary>Name of the file.</summary>
    public const string Name = "compare.html";

    /// <summary>Writes <see cref="Name"/> into a folder, whole or not at all.</summary>
    /// <param name="summary">The comparison.</param>
    /// <param name="folder">The folder, which holds the pictures; one that is missing is said to be missing.</param>
    /// <exception cref="InvalidInputException">A picture's path leads out of the folder, or the file cannot be written.</exception>
    public static void Write(ComparisonSummary summary, string folder) =>
        AtomicFile.WriteText(Path.Combine(folder, Name), Render(summary, path => StripFile.Read(folder, path)));

    /// <summary>The page's text.</summary>
    /// <param name="summary">The comparison.</param>
    /// <param name="image">Gives the PNG bytes of a picture from its path; null where there is none.</param>
    public static string Render(ComparisonSummary summary, Func<string, byte[]?> image)
    {
        ArgumentNullException.ThrowIfNull(summary);
        ArgumentNullException.ThrowIfNull(image);
        var styles = new ComparisonStyles(summary);
        XElement?[] sections =
        [
            ComparisonHeader.Build(summary),
            WarningsSection.Build([.. summary.Warnings, .. ComparisonSentences.LeftOut(summary)]),
            ComparisonCurvesSection.Distances(summary, styles),
            ComparisonCurvesSection.Endpoints(summary, styles),
            TransferSection.Build(summary),
            ComparisonImagesSection.Build(summary, styles, image),
            ComparisonCellsSection.Build(summary, styles),
            ComparisonSchedulesSection.Build(summary, styles),
            SearchesSection.Build(summary),
            ComparisonCostSection.Build(summary),
            ManifestSection.Build(summary.Manifest, summary.Model, summary.Data, summary.Metric, summary.Ledger),
        ];
        return HtmlDocument.Render(summary.Title, [.. sections.OfType<XElement>()]);
    }
}
