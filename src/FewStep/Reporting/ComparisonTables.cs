using FewStep.Experiments;

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

    /// <summary>The searches that gave schedules, and what each cost.</summary>
    /// <param name="summary">The comparison.</param>
    public static ReportTable Searches(ComparisonSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return new(
            [new("Optimiser", false), new("For", false), new("Steps", false), new("Network evaluations", true), new("Time", true)],
            [.. summary.Searches.Select(Row)]);
    }

    /// <summary>What came out, in plain sentences: the best at each number and how sure that is, the teacher, the sample sizes, what was left out.</summary>
    /// <param name="summary">The comparison.</param>
    public static IReadOnlyList<string> Sentences(ComparisonSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return [.. ComparisonSentences.Results(summary).Concat(ComparisonSentences.Conditions(summary)).Concat(ComparisonSentences.LeftOut(summary)).Select(PlainText.OneLine)];
    }

    private static IReadOnlyList<ReportCell> Row(ComparisonSearch s) =>
    [
        new(PlainText.OneLine(s.Optimizer)),
        new(PlainText.OneLine(s.FoundFor ?? "any solver")),
        new(string.Join(", ", s.Schedules.Select(f => NumberText.Count(f.Steps)))),
        new(NumberText.Count(s.NetworkEvaluations), s.LossCurveEvaluations > 0 ? $"+ {NumberText.Count(s.LossCurveEvaluations)} of the loss curve" : null),
        new(NumberText.Duration(s.Seconds)),
    ];
}
