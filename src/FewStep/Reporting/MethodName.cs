using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>What a method is called in text and labels.</summary>
internal static class MethodName
{
    /// <summary>Schedule, and tuning where there is one.</summary>
    public static string Of(string schedule, string? tuning) => tuning is null ? schedule : $"{schedule} + {tuning}";

    /// <summary>Schedule, tuning where there is one, and the solver where another row differs only in that.</summary>
    public static string Of(EvaluationSummary evaluation, RunSummary summary)
    {
        string name = Of(evaluation.Schedule, evaluation.Tuning);
        bool ambiguous = summary.Evaluations.Any(e => e.Schedule == evaluation.Schedule && e.Tuning == evaluation.Tuning && e.Solver != evaluation.Solver);
        return ambiguous ? $"{name}, {evaluation.Solver}" : name;
    }
}
