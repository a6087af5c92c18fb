using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>Says in a few sentences what came out, computed from the numbers, for better or worse.</summary>
internal static class RunHeadline
{
    private const string TeacherPrefix = "teacher: "; // of the schedule's name, which stands alone elsewhere

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

    private static string Compare(EvaluationSummary before, EvaluationSummary after, RunSummary summary) =>
        $"With {Evaluations(after)} an image, {Name(after, summary)} reaches {summary.Metric.Name} {Value(after)}, against {Value(before)} for {Name(before, summary)} with {NumberText.Evaluations(before.EvaluationsPerImage)}: {Judged(before, after)}.";

    private static string Judged(EvaluationSummary before, EvaluationSummary after, string subject = "")
    {
        DistanceComparison comparison = DistanceComparison.Of(before.Distance, after.Distance);
        double change = Math.Abs(((after.Distance?.Mean ?? double.NaN) / (before.Distance?.Mean ?? double.NaN)) - 1);
        return comparison.HeadlineVerdict switch
        {
            HeadlineVerdict.Better => $"{subject}{NumberText.Percent(change)} lower (better), {comparison.Reason}",
            HeadlineVerdict.Worse => $"{subject}{NumberText.Percent(change)} higher (worse), {comparison.Reason}",
            HeadlineVerdict.Unclear => $"no clear difference ({comparison.Reason})",
            _ => $"they cannot be compared, because {comparison.Reason}",
        };
    }

    private static IEnumerable<string> Context(EvaluationSummary? before, EvaluationSummary after, RunSummary summary)
    {
        string metric = summary.Metric.ShortName;
        if (before is not null && after.EvaluationsPerImage > before.EvaluationsPerImage)
        {
            yield return "The result uses more evaluations than the baseline, so part of the difference is paid for.";
        }

        if (RunRivals.Untuned(after, summary) is { } untuned)
        {
            string which = untuned.Schedule == after.Schedule ? "The schedule alone" : $"{Name(untuned, summary)} alone";
            yield return $"{which}, with the weights untouched, reaches {Value(untuned)}: {Judged(untuned, after, "the result is ")}.";
        }

        if (RunRivals.BestStandard(after, summary) is { } standard && standard != before)
        {
            yield return $"The best standard schedule within the same evaluations is {Name(standard, summary)} with {metric} {Value(standard)}: {Judged(standard, after, "the result is ")}.";
        }

        EvaluationSummary?[] named = [before, RunRivals.Untuned(after, summary), RunRivals.BestStandard(after, summary)];
        if (RunRivals.BestUntuned(after, summary) is { } best && !named.Contains(best))
        {
            yield return $"The best with the weights untouched within the same evaluations is {Name(best, summary)} with {metric} {Value(best)}: {Judged(best, after, "the result is ")}.";
        }

        if (summary.Evaluations.FirstOrDefault(e => e.Role == EvaluationRole.Teacher) is { } teacher)
        {
            string name = Name(teacher, summary);
            yield return $"The teacher ({(name.StartsWith(TeacherPrefix, StringComparison.Ordinal) ? name[TeacherPrefix.Length..] : name)}, {Evaluations(teacher)} an image) reaches {Value(teacher)}.";
        }
    }

    private static string Name(EvaluationSummary e, RunSummary summary) => MethodName.Of(e, summary);

    private static string Evaluations(EvaluationSummary e) => $"{NumberText.Evaluations(e.EvaluationsPerImage)} network evaluation{(e.EvaluationsPerImage == 1 ? "" : "s")}";

    private static string Value(EvaluationSummary e) => e.Distance is { } d && double.IsFinite(d.Mean) ? NumberText.WithSpread(d.Mean, d.Spread) : "no value";
}
