namespace FewStep.Reporting;

/// <summary>A part of the report.</summary>
internal interface IReportSection
{
    string Id { get; }

    string Heading { get; }

    bool IsBrief => false;

    /// <summary>What it has to show; nothing where the summary has nothing for it.</summary>
    IEnumerable<ReportBlock> Blocks(ReportPage page);
}
