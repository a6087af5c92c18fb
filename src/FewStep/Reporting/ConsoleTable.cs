using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>The tables of a run as plain text cells, for the command line to draw.</summary>
public static class ConsoleTable
{
    /// <summary>Schedule, tuning, solver, network evaluations an image, discretization losses with intervals, and the metric with its spread over seed ranges.</summary>
    /// <param name="summary">The run.</param>
    public static ReportTable Evaluations(RunSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return EvaluationTable.Build(summary, brief: true);
    }

    /// <summary>Network evaluations, training updates and time of each stage, and their sum in the last row.</summary>
    /// <param name="summary">The run.</param>
    public static ReportTable Ledger(RunSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return LedgerTable.Build(summary.Ledger);
    }

    /// <summary>The headline in plain sentences: what was gained or lost, against what, at what cost.</summary>
    /// <param name="summary">The run.</param>
    public static IReadOnlyList<string> Headline(RunSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return [.. RunHeadline.Sentences(summary).Select(PlainText.OneLine)];
    }

    /// <summary>What real images differ by, in a sentence; null where it was not measured.</summary>
    /// <param name="summary">The run.</param>
    public static string? Floor(RunSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return FloorText.Sentence(summary.Metric) is string text ? PlainText.OneLine(text) : null;
    }

    /// <summary>What to know before believing the rest: methods that do as well at no greater cost, and the run's own warnings.</summary>
    /// <param name="summary">The run.</param>
    public static IReadOnlyList<string> Warnings(RunSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return [.. RunRivals.Warnings(summary).Concat(summary.Warnings).Select(PlainText.OneLine)];
    }
}
