using FewStep.Runs;

namespace FewStep.Reporting;

/// <summary>The tables of a comparison as plain text cells, for the command line to draw.</summary>
public static class ComparisonTables
{
    /// <summary>All cells, the best first at each number, with what can be said of their order.</summary>
    /// <param name="summary">The comparison.</param>
    public static ReportTable Cells(ComparisonSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return ComparisonCellTable.Build(summary, brief: true).Table;
    }

    /// <summary>What came out, in plain sentences: the best at each number and how sure that is, the teacher, the sample sizes, what was left out.</summary>
    /// <param name="summary">The comparison.</param>
    public static IReadOnlyList<string> Sentences(ComparisonSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return [.. ComparisonSentences.Results(summary).Concat(ComparisonSentences.Conditions(summary)).Concat(ComparisonSentences.LeftOut(summary)).Select(PlainText.OneLine)];
    }
}
