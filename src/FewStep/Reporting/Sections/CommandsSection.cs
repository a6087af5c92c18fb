using FewStep.Experiments;

namespace FewStep.Reporting.Sections;

/// <summary>How to go on with what was found: commands to copy, and the winner's sigmas.</summary>
internal sealed class CommandsSection() : ReportSection("use", "Use what was found", isBrief: true)
{
    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
    {
        foreach (CommandSummary command in page.Summary.Commands)
            yield return new CodeBlock(command.Title, command.Text);
        if (!page.IsBrief && (page.Result ?? page.BestShown) is { Sigmas.Count: > 0 } winner)
        {
            yield return new CodeBlock(
                $"Sigmas of {winner.Name}", SchedulesSection.Sigmas(winner, s => s.ToString("R", CultureInfo.InvariantCulture)));
        }
    }
}
