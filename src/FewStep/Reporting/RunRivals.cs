using FewStep.Noise;
using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>What the result of a run has to beat at no greater cost, besides the baseline that somebody picked.</summary>
internal static class RunRivals
{
    /// <summary>The best standard schedule within the result's evaluations, with the weights untouched; null where none was measured.</summary>
    /// <remarks>Whoever picked the baseline may have picked a weak one.</remarks>
    public static EvaluationSummary? BestStandard(EvaluationSummary result, RunSummary summary) => Best(result, summary, source => source == ScheduleSource.Standard);

    /// <summary>The best of all within the result's evaluations with the weights untouched, whatever its schedule and solver; null where none was measured.</summary>
    public static EvaluationSummary? BestUntuned(EvaluationSummary result, RunSummary summary) => Best(result, summary, source => source != ScheduleSource.Teacher);

    /// <summary>The searched schedule with the weights untouched: the result's own where it was measured, else the best of those that were searched; null where the result is untuned itself.</summary>
    public static EvaluationSummary? Untuned(EvaluationSummary result, RunSummary summary) => result.Tuning is null
        ? null
        : summary.Evaluations.FirstOrDefault(e => e.Schedule == result.Schedule && e.Tuning is null && e.Solver == result.Solver)
            ?? Best(result, summary, source => source is ScheduleSource.Phase1 or ScheduleSource.OtherSearch or ScheduleSource.Alternation);

    /// <summary>Warnings for the rivals that have a lower distance than the result, whether for certain or by chance.</summary>
    public static IEnumerable<string> Warnings(RunSummary summary)
    {
        if (summary.Evaluations.FirstOrDefault(e => e.Role == EvaluationRole.Result) is not { } result)
        {
            yield break;
        }

        EvaluationSummary?[] rivals = [summary.Evaluations.FirstOrDefault(e => e.Role == EvaluationRole.Baseline), BestStandard(result, summary), Untuned(result, summary), BestUntuned(result, summary)];
        foreach (var rival in rivals.OfType<EvaluationSummary>().Distinct().Where(r => r.EvaluationsPerImage <= result.EvaluationsPerImage && r.Distance?.Mean < result.Distance?.Mean))
        {
            var comparison = DistanceComparison.Of(rival.Distance, result.Distance);
            string name = rival.Tuning is null && result.Tuning is not null ? $"{MethodName.Of(rival, summary)} with the weights untouched" : MethodName.Of(rival, summary);
            string values = $"{summary.Metric.ShortName} {NumberText.WithSpread(rival.Distance!.Mean, rival.Distance.Spread)} against {NumberText.WithSpread(result.Distance!.Mean, result.Distance.Spread)}; {comparison.Reason}";
            yield return comparison.HeadlineVerdict == HeadlineVerdict.Worse
                ? $"The result is worse than {name}, which costs no more: {values}."
                : $"The result is not shown to be better than {name}, which costs no more: {values}.";
        }
    }

    private static EvaluationSummary? Best(EvaluationSummary result, RunSummary summary, Func<ScheduleSource, bool> from)
    {
        HashSet<string> schedules = [.. summary.Schedules.Where(s => from(s.Source)).Select(s => s.Name)];
        return summary.Evaluations
            .Where(e => e.Tuning is null && e != result && schedules.Contains(e.Schedule) && e.EvaluationsPerImage <= result.EvaluationsPerImage && double.IsFinite(e.Distance?.Mean ?? double.NaN))
            .MinBy(e => e.Distance!.Mean);
    }
}
