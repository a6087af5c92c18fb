using FewStep.Runs;

namespace FewStep.Reporting;

/// <summary>Says in a few sentences what came out, computed from the numbers, for better or worse.</summary>
internal static class RunHeadline
{
    /// <summary>The sentences, the result first.</summary>
    public static IEnumerable<string> Sentences(RunSummary summary)
    {
        EvaluationSummary? before = summary.Evaluations.FirstOrDefault(e => e.Role == EvaluationRole.Baseline);
        EvaluationSummary? after = summary.Evaluations.FirstOrDefault(e => e.Role == EvaluationRole.Result);
        if (after is null)
        {
            yield return "The run has no result to compare.";
            yield break;
        }

        if (before is null)
        {
            yield return $"{Name(after, summary)} takes {Evaluations(after)} an image and reaches {summary.Metric.Name} {Value(after)}; there is no baseline to compare it with.";
        }
        else
        {
            yield return Compare(before, after, summary);
        }

        foreach (string sentence in Context(before, after, summary))
        {
            yield return sentence;
        }
    }

    private static string Compare(EvaluationSummary before, EvaluationSummary after, RunSummary summary)
    {
        string numbers = $"With {Evaluations(after)} an image, {Name(after, summary)} reaches {summary.Metric.Name} {Value(after)}, against {Value(before)} for {Name(before, summary)} with {NumberText.Evaluations(before.EvaluationsPerImage)}: ";
        DistanceComparison comparison = DistanceComparison.Of(before.Distance, after.Distance);
        double change = Math.Abs(((after.Distance?.Mean ?? double.NaN) / (before.Distance?.Mean ?? double.NaN)) - 1);
        return numbers + comparison.Verdict switch
        {
            Verdict.Better => $"{NumberText.Percent(change)} lower (better), {comparison.Reason}.",
            Verdict.Worse => $"{NumberText.Percent(change)} higher (worse), {comparison.Reason}.",
            Verdict.Unclear => $"no clear difference ({comparison.Reason}).",
            _ => $"they cannot be compared, because {comparison.Reason}.",
        };
    }

    private static IEnumerable<string> Context(EvaluationSummary? before, EvaluationSummary after, RunSummary summary)
    {
        string metric = summary.Metric.ShortName;
        if (before is not null && after.EvaluationsPerImage > before.EvaluationsPerImage)
        {
            yield return "The result uses more evaluations than the baseline, so part of the difference is paid for.";
        }

        if (after.Tuning is not null && summary.Evaluations.FirstOrDefault(e => e.Schedule == after.Schedule && e.Tuning is null && e.Solver == after.Solver) is { } untuned)
        {
            yield return $"The schedule alone, with the weights untouched, reaches {Value(untuned)}.";
        }

        if (BestStandard(after, summary) is { } standard && standard != before)
        {
            yield return $"The best standard schedule within the same evaluations is {Name(standard, summary)} with {metric} {Value(standard)}.";
        }

        if (summary.Evaluations.FirstOrDefault(e => e.Role == EvaluationRole.Teacher) is { } teacher)
        {
            yield return $"The teacher ({Name(teacher, summary)}, {Evaluations(teacher)} an image) reaches {Value(teacher)}.";
        }
    }

    // Whoever picked the baseline may have picked a weak one.
    private static EvaluationSummary? BestStandard(EvaluationSummary result, RunSummary summary)
    {
        HashSet<string> standard = [.. summary.Schedules.Where(s => s.Source == ScheduleSource.Standard).Select(s => s.Name)];
        return summary.Evaluations
            .Where(e => e.Tuning is null && e != result && standard.Contains(e.Schedule) && e.EvaluationsPerImage <= result.EvaluationsPerImage && double.IsFinite(e.Distance?.Mean ?? double.NaN))
            .MinBy(e => e.Distance!.Mean);
    }

    private static string Name(EvaluationSummary e, RunSummary summary) => MethodName.Of(e, summary);

    private static string Evaluations(EvaluationSummary e) => $"{NumberText.Evaluations(e.EvaluationsPerImage)} network evaluation{(e.EvaluationsPerImage == 1 ? "" : "s")}";

    private static string Value(EvaluationSummary e) => e.Distance is { } d && double.IsFinite(d.Mean) ? NumberText.WithSpread(d.Mean, d.Spread) : "no value";
}
