using FewStep.Reporting;

namespace FewStep.Tests.Reporting;

public sealed class MarkdownReportTests
{
    [Fact]
    public void The_page_holds_every_row_and_no_markup_from_names()
    {
        var summary = SampleSummary.Full() with { Title = "a <b>|\nc" };
        string page = MarkdownReport.Render(summary);
        Assert.StartsWith("# a &lt;b>| c\n", page, StringComparison.Ordinal);
        string[] rows = [.. page.Split('\n').SkipWhile(l => !l.StartsWith('|')).TakeWhile(l => l.StartsWith('|'))];
        Assert.Equal(2 + summary.Evaluations.Count, rows.Length);
        Assert.Single(rows.Select(r => r.Replace("\\|", "", StringComparison.Ordinal).Count(c => c == '|')).Distinct());
    }
}
