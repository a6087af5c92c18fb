namespace FewStep.Reporting;

/// <summary>A part of the report.</summary>
/// <param name="id">What links reach it by.</param>
/// <param name="heading">Its heading.</param>
/// <param name="isBrief">Whether a terminal shows it too.</param>
internal abstract class ReportSection(string id, string heading, bool isBrief = false)
{
    public string Id => id;
    public string Heading => heading;
    public bool IsBrief => isBrief;

    /// <summary>What it has to show; nothing where the summary has nothing for it.</summary>
    public abstract IEnumerable<ReportBlock> Blocks(ReportPage page);
}
