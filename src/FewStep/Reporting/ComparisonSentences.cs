using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>Says in sentences which solver and schedule is best at each number, and how sure that is.</summary>
internal static class ComparisonSentences
{
    private const int MostNames = 4;
    private const string EndpointName = "endpoint distance";

    /// <summary>The best at each number by each metric.</summary>
    public static IEnumerable<string> Results(ComparisonSummary summary)
    {
        foreach (int number in summary.Numbers)
        {
            ComparisonCellSummary[] cells = [.. summary.Cells.Where(c => c.Number == number)];
            var first = summary.Metric is { } metric ? Of(cells, metric.ShortName, c => c.Distance, c => c.DistanceVerdict) : null;
            var second = summary.Teacher is null ? null : Of(cells, EndpointName, c => c.Endpoint, c => c.EndpointVerdict);
            string at = At(summary, number);
            if (first is null && second is null)
            {
                yield return $"{at}, nothing was measured.";
            }
            else if (first is null || second is null)
            {
                var only = (first ?? second)!.Value;
                yield return $"{at}, {Name(only.Best)} has {only.Text}.";
            }
            else
            {
                bool agree = ReferenceEquals(first.Value.Best, second.Value.Best);
                yield return $"{at}, {Name(first.Value.Best)} has {first.Value.Text}{(agree ? ", and" : $"; {Name(second.Value.Best)} has")} {second.Value.Text}.";
            }
        }
    }

    /// <summary>The teacher, the floor, and on what the numbers stand.</summary>
    public static IEnumerable<string> Conditions(ComparisonSummary summary)
    {
        if (summary.Teacher is { } teacher)
        {
            string distance = teacher.Distance is { } d && summary.Metric is { } m ? $" reaches {m.ShortName} {NumberText.WithSpread(d.Mean, d.Spread)}" : " gives the endpoints that are aimed at";
            yield return $"The teacher ({teacher.Solver} on {teacher.Schedule}, {NumberText.Evaluations(teacher.EvaluationsPerImage)} evaluations){distance}.";
        }

        if (summary.Metric is { Floor: double floor } metric)
        {
            yield return $"Floor: {metric.ShortName} {NumberText.Significant(floor)} between {NumberText.Count(metric.FloorImages)} training images and the reference.";
        }

        yield return $"Every cell: {NumberText.Count(summary.Seeds.Ranges)} × {NumberText.Count(summary.Seeds.Images)} images of the same seeds (the first {NumberText.Count(summary.Seeds.First)}) and labels; searches use other seeds.";
    }

    /// <summary>What was not measured, and why.</summary>
    public static IEnumerable<string> LeftOut(ComparisonSummary summary) =>
        summary.LeftOut
            .GroupBy(l => (l.Solver, l.Schedule, Reason: summary.Axis == ComparisonAxis.Evaluations && l.Schedule is null ? "" : l.Reason))
            .Select(g => $"Left out: {g.Key.Solver}{(g.Key.Schedule is null ? "" : $" with {g.Key.Schedule}")} at {string.Join(", ", g.Select(l => NumberText.Count(l.Number)))}: {g.First().Reason.TrimEnd('.')}.");

    private static (string Text, ComparisonCellSummary Best)? Of(ComparisonCellSummary[] cells, string metric, Func<ComparisonCellSummary, DistanceSummary?> value, Func<ComparisonCellSummary, ComparisonVerdict?> verdict)
    {
        if (cells.FirstOrDefault(c => verdict(c)?.Standing == ComparisonStanding.Best) is not { } best)
        {
            return null;
        }

        ComparisonCellSummary[] undecided = [.. cells.Where(c => verdict(c)?.Standing == ComparisonStanding.Undecided).OrderBy(c => verdict(c)!.Difference)];
        int others = cells.Count(c => verdict(c) is not null) - 1;
        string how = (others, undecided.Length) switch
        {
            (0, _) => "nothing was compared with it",
            (_, 0) => $"ahead of {(others == 1 ? "the other" : $"all {NumberText.Count(others)} others")} beyond the spread over seed ranges",
            _ when undecided.All(c => verdict(c)!.HalfWidth is null) => "not decided, because one seed range tells nothing of the spread",
            _ => $"not decided against {Names(undecided)}",
        };
        return ($"the least {metric}, {NumberText.WithSpread(value(best)!.Mean, value(best)!.Spread)} ({how})", best);
    }

    private static string At(ComparisonSummary summary, int number) => summary.Axis == ComparisonAxis.Evaluations
        ? $"At {NumberText.Count(number)} evaluation{(number == 1 ? "" : "s")}"
        : $"At {NumberText.Count(number)} step{(number == 1 ? "" : "s")}";

    private static string Names(ComparisonCellSummary[] cells)
    {
        string names = string.Join("; ", cells.Take(MostNames).Select(Name));
        return cells.Length > MostNames ? $"{names}; and {NumberText.Count(cells.Length - MostNames)} more" : names;
    }

    private static string Name(ComparisonCellSummary cell) => $"{cell.ScheduleLabel} with {cell.Solver}";
}
