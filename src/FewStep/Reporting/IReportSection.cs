namespace FewStep.Reporting;

/// <summary>A part of the report.</summary>
internal interface IReportSection
{
    /// <summary>What links reach it by; unique.</summary>
    string Id { get; }

    string Heading { get; }

    /// <summary>Whether a terminal shows it too.</summary>
    bool IsBrief => false;

    /// <summary>What it has to show; nothing where the summary has nothing for it.</summary>
    IEnumerable<ReportBlock> Blocks(ReportPage page);
}
