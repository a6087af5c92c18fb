using FewStep.Experiments;

namespace FewStep.Reporting.Sections;

/// <summary>What it cost, stage by stage.</summary>
internal sealed class LedgerSection() : ReportSection("cost", "Cost")
{
    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
    {
        IReadOnlyList<LedgerLineSummary> lines = page.Summary.Ledger;
        if (lines.Count == 0)
            yield break;
        var total = new LedgerLineSummary(
            "all stages", lines.Sum(l => l.NetworkEvaluations), lines.Sum(l => l.TrainingUpdates), lines.Sum(l => l.Seconds));
        yield return new TableBlock(
            new(
                [new("Stage", false), new("Network evaluations", true), new("Training updates", true), new("Time", true)],
                [.. lines.Append(total).Select(l => new ReportRow(
                    [ReportCell.Of(l.Stage), new(NumberText.Count(l.NetworkEvaluations)), new(NumberText.Count(l.TrainingUpdates)),
                        new(NumberText.Duration(l.Seconds))]) { IsStrong = l == total })]),
            "Cost by stage");
        yield return new TextBlock(
            "A network evaluation is one forward pass of one image, with or without gradient. Stages that were found in the folder count "
                + "with what they cost when they ran.", TextWeight.Note);
        if (page.Result is { EvaluationsPerImage: > 0 and double evaluations })
        {
            double images = lines.Sum(l => (double)l.NetworkEvaluations) / evaluations;
            string cost = double.IsFinite(images) && images is > 0 and < 1e15
                ? $" All stages together took as many evaluations as sampling {NumberText.Count((long)Math.Round(images))} such images."
                : "";
            yield return new TextBlock($"Sampling with the result costs {NumberText.Evaluations(evaluations)} network evaluations an "
                + $"image.{cost}", TextWeight.Note);
        }
    }
}
