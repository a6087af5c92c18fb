using System.Xml.Linq;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>What it cost.</summary>
internal static class LedgerSection
{
    public static XElement? Build(RunSummary summary)
    {
        if (summary.Ledger.Count == 0)
        {
            return null;
        }

        return Element.Section(
            "cost",
            "Cost",
            Element.Table(LedgerTable.Build(summary.Ledger), "Cost by stage", row => row == summary.Ledger.Count ? "total" : null),
            Element.Note("A network evaluation is one forward pass of one image, with or without gradient."),
            PerImage(summary) is { } sentence ? Element.Note(sentence) : null);
    }

    private static string? PerImage(RunSummary summary)
    {
        if (summary.Evaluations.FirstOrDefault(e => e.Role == EvaluationRole.Result) is not { EvaluationsPerImage: > 0 } result)
        {
            return null;
        }

        double images = summary.Ledger.Sum(l => (double)l.NetworkEvaluations) / result.EvaluationsPerImage;
        string cost = double.IsFinite(images) && images is > 0 and < 1e15 ? $" All stages together took as many evaluations as sampling {NumberText.Count((long)Math.Round(images))} such images." : "";
        return $"Sampling with the result costs {NumberText.Evaluations(result.EvaluationsPerImage)} network evaluations an image.{cost}";
    }
}
