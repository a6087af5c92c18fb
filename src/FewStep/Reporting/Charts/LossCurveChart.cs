using FewStep.Experiments;

namespace FewStep.Reporting.Charts;

/// <summary>The loss curve on two logarithmic axes, with the sigmas of some schedules on it.</summary>
internal static class LossCurveChart
{
    public static XElement Draw(LossCurveSummary curve, IReadOnlyList<MarkedSchedule> marked, ChartSize size)
    {
        double height = size.IsNarrow ? 300 : 400;
        LossPointSummary[] points = [.. Drawable(curve)];
        double[] centre = [.. points.SelectMany(p => new[] { p.Loss, p.Fitted }).Where(v => v > 0)];
        double floor = centre.DefaultIfEmpty(1).Min() / 10; // an interval that reaches zero must not stretch the axis without end
        Axis x = LogAxis.Covering(points.Select(p => p.Sigma).Concat(marked.SelectMany(s => s.Sigmas)), 58, size.Width - 14);
        Axis y = LogAxis.Covering(centre.Concat(points.SelectMany(p => new[] { Math.Max(p.Low, floor), p.High })), height - 44, 30, 0.05);
        return Svg.Chart($"loss-curve-{size.Suffix}", size, height, "Training loss against noise level",
            $"Both axes logarithmic. {points.Length} measured noise levels with confidence band and monotone fit; marked: {string.Join(
                "; ", marked.Select(s => $"{s.Name}: {string.Join(", ", s.Sigmas.Select(sigma => NumberText.Sigma(sigma)))}"))}.",
            [
                .. new PlotArea(x, y, "noise level σ (log scale)", "loss L(σ), squared pixel units per value (log scale)").Frame(),
                Svg.Band(points.Select(p => (x.Position(p.Sigma), y.Position(Math.Max(p.Low, floor)), y.Position(p.High))), "band"),
                .. points.Where(p => p.Loss > 0).Select(p => Measured(p, x, y)),
                Svg.Polyline(points.Select(p => (x.Position(p.Sigma), y.Position(p.Fitted))), "fit"),
                .. marked.Reverse().SelectMany(s => Sigmas(s, points, x, y, labelled: s == marked[0])),
            ]);
    }

    /// <summary>The points that logarithmic axes can show, in order of sigma.</summary>
    public static IEnumerable<LossPointSummary> Drawable(LossCurveSummary curve) =>
        curve.Points.Where(p => p.Sigma > 0 && double.IsFinite(p.Sigma) && (IsPositive(p.Loss) || IsPositive(p.Fitted)))
            .OrderBy(p => p.Sigma);

    private static bool IsPositive(double value) => value > 0 && double.IsFinite(value);

    private static XElement Measured(LossPointSummary p, Axis x, Axis y)
    {
        (string value, string? interval) = NumberText.Estimate(p.Loss, p.Low, p.High);
        return Svg.Marker(MarkerShape.Circle, x.Position(p.Sigma), y.Position(p.Loss), 1.8, "measured",
            $"σ = {NumberText.Significant(p.Sigma, 4)}: L = {value} {interval}".TrimEnd());
    }

    private static IEnumerable<XElement> Sigmas(
        MarkedSchedule schedule, IReadOnlyList<LossPointSummary> curve, Axis x, Axis y, bool labelled)
    {
        (double Position, string Text)[] labels = [.. schedule.Sigmas.Select(s => (x.Position(s), NumberText.Sigma(s)))];
        IReadOnlySet<int> shown = labelled ? TextLabels.Choose(labels, 12) : new HashSet<int>();
        for (int i = 0; i < schedule.Sigmas.Count; i++)
        {
            double sigma = schedule.Sigmas[i], px = x.Position(sigma), py = y.Position(Interpolate(curve, sigma));
            if (!double.IsFinite(px) || !double.IsFinite(py))
                continue;
            if (labelled)
                yield return Svg.Line(px, py, px, y.Start, $"drop {schedule.Style.CssClass}");
            yield return Svg.Marker(schedule.Style.Shape, px, py, 5, $"point {schedule.Style.CssClass}",
                $"{schedule.Name}: σ[{i}] = {NumberText.Sigma(sigma, 5)}");
            if (shown.Contains(i))
            {
                bool atLeftEdge = px < x.Start + 40;
                yield return atLeftEdge
                    ? Svg.Text(px + 9, py + 4, NumberText.Sigma(sigma), "value")
                    : Svg.Text(px + 6, py - 10, NumberText.Sigma(sigma), "value", "end");
            }
        }
    }

    // The fitted curve between its points, straight in log-log; constant beyond its ends.
    private static double Interpolate(IReadOnlyList<LossPointSummary> curve, double sigma)
    {
        (double Sigma, double Loss)[] fit =
            [.. curve.Select(p => (p.Sigma, IsPositive(p.Fitted) ? p.Fitted : p.Loss)).Where(p => IsPositive(p.Item2))];
        int right = Array.FindIndex(fit, p => p.Sigma >= sigma);
        if (right <= 0)
            return right == 0 ? fit[0].Loss : fit[^1].Loss;
        (double a, double lossA) = fit[right - 1];
        (double b, double lossB) = fit[right];
        double t = Math.Log(sigma / a) / Math.Log(b / a);
        return lossA * Math.Pow(lossB / lossA, t);
    }
}

/// <summary>A schedule whose sigmas are marked in a chart.</summary>
internal sealed record MarkedSchedule(string Name, IReadOnlyList<double> Sigmas, MethodStyle Style);
