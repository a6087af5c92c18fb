using FewStep.Experiments;

namespace FewStep.Reporting.Charts;

/// <summary>Training loss and held-out metric over the updates of each round, one above the other.</summary>
internal static class TuningChart
{
    private const int MostPoints = 250;

    public static XElement Draw(IReadOnlyList<TuningRoundSummary> rounds, MethodStyles styles, ChartSize size)
    {
        double end = size.Width - 14;
        bool losses = Values(rounds, p => p.TrainingLoss).Any(), heldOut = Values(rounds, p => p.HeldOut).Any();
        double panel = size.IsNarrow ? 150 : 190, gap = 50;
        double height = ((panel + gap) * (losses && heldOut ? 2 : 1)) + 30;
        Axis x = LinearAxis.Covering(rounds.SelectMany(r => r.Points).Select(p => (double)p.Update).Append(0), 58, end);
        List<XElement> content = [];
        double top = 30;
        if (losses)
        {
            content.AddRange(Panel(rounds, p => p.TrainingLoss, isHeldOut: false, x, top, panel, heldOut ? "" : "updates in the round",
                "training loss", styles));
            top += panel + gap;
        }

        if (heldOut)
        {
            content.AddRange(Panel(rounds, p => p.HeldOut, isHeldOut: true, x, top, panel, "updates in the round",
                $"held out: {HeldOutTitle(rounds)}", styles));
        }

        string description = string.Join("; ", rounds.Select(r => $"round {r.Round} on {r.Schedule}: best at update "
            + $"{r.BestUpdate?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"}"));
        return Svg.Chart(
            $"tuning-{size.Suffix}", size, height, "Training loss and held-out metric over updates", description + ".", content);
    }

    /// <summary>How the line of a round is dashed: rounds of one method share its colour.</summary>
    public static string DashClass(IReadOnlyList<TuningRoundSummary> rounds, int index)
    {
        int same = rounds.Take(index).Count(r => (r.Schedule, r.Tuning) == (rounds[index].Schedule, rounds[index].Tuning));
        return $"dash{Math.Min(same, 3)}";
    }

    private static IEnumerable<XElement> Panel(
        IReadOnlyList<TuningRoundSummary> rounds, Func<TuningPointSummary, double?> value, bool isHeldOut, Axis x, double top,
        double height, string xTitle, string yTitle, MethodStyles styles)
    {
        double[] values = [.. Values(rounds, value)];
        bool isLog = values.All(v => v > 0); // what has an unbiased energy distance in it may be below
        Axis y = isLog ? LogAxis.Covering(values, top + height, top, 0.06) : LinearAxis.Covering(values, top + height, top);
        string title = isLog ? $"{yTitle} (log scale)" : yTitle;
        foreach (XElement element in new PlotArea(x, y, xTitle, TextLabels.Fit(title, x.End, 12)).Frame())
            yield return element;
        for (int i = 0; i < rounds.Count; i++)
        {
            string colour = styles.Of(rounds[i].Schedule, rounds[i].Tuning).CssClass;
            (double Update, double Value)[] points = [.. rounds[i].Points.Where(p => value(p) is { } v && double.IsFinite(v))
                .Select(p => ((double)p.Update, value(p)!.Value))];
            yield return Svg.Polyline(
                Thin(points).Select(p => (x.Position(p.Update), y.Position(p.Value))), $"series {colour} {DashClass(rounds, i)}");
            foreach (XElement mark in isHeldOut ? Checks(rounds[i], points, x, y, colour) : [])
                yield return mark;
        }
    }

    private static IEnumerable<XElement> Checks(
        TuningRoundSummary round, (double Update, double Value)[] points, Axis x, Axis y, string colour)
    {
        foreach ((double update, double value) in points.Length <= MostPoints ? points : [])
        {
            yield return Svg.Marker(MarkerShape.Circle, x.Position(update), y.Position(value), 2.5, $"point {colour}",
                $"round {round.Round}, update {NumberText.Count((long)update)}: {NumberText.Significant(value, 4)}");
        }

        foreach ((double update, double value) in points.Where(p => round.BestUpdate == (long)p.Update).Take(1))
        {
            yield return Svg.Marker(MarkerShape.Circle, x.Position(update), y.Position(value), 6.5, $"minor {colour}",
                $"round {round.Round}, best: update {NumberText.Count((long)update)}, {NumberText.Significant(value, 4)}");
        }
    }

    // Long curves are shown as means over equal numbers of points.
    private static IEnumerable<(double Update, double Value)> Thin((double Update, double Value)[] points)
    {
        int bucket = (points.Length + MostPoints - 1) / MostPoints;
        return bucket <= 1 ? points : points.Chunk(bucket).Select(c => (c.Average(p => p.Update), c.Average(p => p.Value)));
    }

    private static IEnumerable<double> Values(IReadOnlyList<TuningRoundSummary> rounds, Func<TuningPointSummary, double?> value) =>
        rounds.SelectMany(r => r.Points).Select(value).OfType<double>().Where(double.IsFinite);

    private static string HeldOutTitle(IReadOnlyList<TuningRoundSummary> rounds) =>
        rounds.Select(r => r.HeldOutMetric).Distinct().Count() == 1 ? rounds[0].HeldOutMetric : "metric of the round";
}
