using System.Xml.Linq;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>What a comparison cost.</summary>
internal static class ComparisonCostSection
{
    public static XElement? Build(ComparisonSummary summary) =>
        summary.Ledger.Count == 0
            ? null
            : Element.Section(
                "cost",
                "Cost",
                Element.Table(LedgerTable.Build(summary.Ledger), "Cost by stage", row => row == summary.Ledger.Count ? "total" : null),
                Element.Note("A network evaluation is one forward pass of one image. Stages that were found in the folder count with what they cost when they ran."));
}
