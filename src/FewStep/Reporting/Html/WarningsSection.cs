using System.Xml.Linq;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>What to know before believing the rest.</summary>
internal static class WarningsSection
{
    public static XElement? Build(RunSummary summary) => Build(ConsoleTable.Warnings(summary));

    /// <summary>The section; null where there is nothing to warn of.</summary>
    public static XElement? Build(IReadOnlyList<string> warnings) =>
        warnings.Count == 0
            ? null
            : new XElement(
                "section",
                new XAttribute("id", "warnings"),
                new XAttribute("class", "warnings"),
                new XElement("h2", "Warnings and negative results"),
                new XElement("ul", warnings.Select(w => new XElement("li", w))));
}
