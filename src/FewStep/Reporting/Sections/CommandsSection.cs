using FewStep.Experiments;

namespace FewStep.Reporting.Sections;

/// <summary>How to go on with what was found: commands to copy, and the winner's sigmas.</summary>
internal sealed class CommandsSection : IReportSection
{
    public string Id => "use";

    public string Heading => "Use what was found";

    public bool IsBrief => true;

    public IEnumerable<ReportBlock> Blocks(ReportPage page)
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
