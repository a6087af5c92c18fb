using FewStep.Reporting.Sections;

namespace FewStep.Reporting;

/// <summary>The catalogue of the report's sections, in the order of the page: a new one is its own class and a line here.</summary>
internal static class ReportSections
{
    public static IReadOnlyList<ReportSection> All { get; } =
    [
        new ImagesSection(),
        new HeadlineSection(),
        new NumbersSection(),
        new GridSection(),
        new FigureChartsSection(),
        new SchedulesSection(),
        new LossCurveSection(),
        new TuningSection(),
        new TransferSection(),
        new SearchesSection(),
        new LedgerSection(),
        new WarningsSection(),
        new HashesSection(),
        new ManifestSection(),
        new CommandsSection(),
    ];

    /// <summary>The sections that have something to show, with what they show; for a terminal only those that are brief.</summary>
    public static IEnumerable<(ReportSection Section, IReadOnlyList<ReportBlock> Blocks)> Filled(ReportPage page) =>
        All.Where(s => s.IsBrief || !page.IsBrief).Select(s => (s, (IReadOnlyList<ReportBlock>)[.. s.Blocks(page)]))
            .Where(s => s.Item2.Count > 0);
}
