using System.Xml.Linq;
using FewStep.Reporting.Charts;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>A metric over network evaluations: a small chart for each solver with a line for each schedule, and the best schedule of each solver.</summary>
internal static class ComparisonCurvesSection
{
    public static XElement? Distances(ComparisonSummary summary, ComparisonStyles styles) =>
        summary.Metric is { } metric ? Build(summary, styles, "distance", $"{metric.Name} over network evaluations", metric.Name, c => c.Distance, $"{metric.Name}: {metric.Description}") : null;

    public static XElement? Endpoints(ComparisonSummary summary, ComparisonStyles styles) =>
        summary.Teacher is null
            ? null
            : Build(
                summary,
                styles,
                "endpoint",
                "Distance to the teacher's endpoints",
                "Endpoint RMS",
                c => c.Endpoint,
                "Endpoint RMS: root-mean-square difference of a pixel value (images in [-1, 1]) to the teacher's image of the same latent, mean over images, before clipping and rounding. It says how well the model's own ODE is solved, not how good the model is.");

    private static XElement? Build(ComparisonSummary summary, ComparisonStyles styles, string id, string heading, string axis, Func<ComparisonCellSummary, DistanceSummary?> value, string note)
    {
        ComparisonCellSummary[] drawn = [.. summary.Cells.Where(c => !c.IsTransfer && value(c) is { Mean: > 0 and < double.PositiveInfinity })];
        if (drawn.Length == 0)
        {
            return null;
        }

        CurvePanel[] panels = [.. styles.Solvers.Select(s => Panel(s, [.. drawn.Where(c => c.Solver == s)], styles, value)).Where(p => p.Lines.Count > 0)];
        CurvePanel best = Best(drawn, styles, value);
        bool cut = new CurveChart(panels, ChartSize.Wide).IsCut;
        string caption = "One chart a solver, one line a schedule (of optimisers that look at the solver, the schedule found for it). Bars: standard deviation over the seed ranges."
            + (cut ? " Points at the upper edge lie beyond it." : "");
        return Element.Section(
            id,
            heading,
            Figure.Build(size => new CurveChart(panels, size).Draw(id, heading, "network evaluations an image", $"{axis}, log scale, lower is better"), caption, Legend(styles.Schedules, styles.Schedule)),
            best.Lines.Count < 2
                ? null
                : Figure.Build(
                    size => new CurveChart([best], size).Draw($"{id}-best", $"{heading}: the best schedule of each solver", "network evaluations an image", $"{axis}, log scale"),
                    "The best schedule of each solver at each number of evaluations; which it is, the points tell.",
                    Legend(styles.Solvers, styles.Solver)),
            Element.Note(note));
    }

    private static (XElement, string)[] Legend(IReadOnlyList<string> names, Func<string, LineStyle> style) =>
        [.. names.Select(n => (Figure.Sample(Svg.Line(0, 8, 16, 8, style(n).LineClass), Svg.Marker(style(n).Points.Shape, 8, 8, 3.6, $"point {style(n).Points.CssClass}")), n))];

    private static CurvePanel Panel(string solver, ComparisonCellSummary[] cells, ComparisonStyles styles, Func<ComparisonCellSummary, DistanceSummary?> value) => new(
        solver,
        [.. styles.Schedules.Where(s => cells.Any(c => c.Schedule == s)).Select(s => new CurveLine(s, styles.Schedule(s), [.. cells.Where(c => c.Schedule == s).Select(c => Point(c, value))]))]);

    private static CurvePanel Best(ComparisonCellSummary[] cells, ComparisonStyles styles, Func<ComparisonCellSummary, DistanceSummary?> value) => new(
        "best schedule of each solver",
        [
            .. styles.Solvers.Where(s => cells.Any(c => c.Solver == s)).Select(s => new CurveLine(
                s,
                styles.Solver(s),
                [.. cells.Where(c => c.Solver == s).GroupBy(c => c.Number).Select(g => Point(g.MinBy(c => value(c)!.Mean)!, value))])),
        ]);

    private static CurvePoint Point(ComparisonCellSummary c, Func<ComparisonCellSummary, DistanceSummary?> value)
    {
        DistanceSummary d = value(c)!;
        return new CurvePoint(c.EvaluationsPerImage, d.Mean, d.Spread, $"{c.ScheduleLabel} with {c.Solver}, {NumberText.Evaluations(c.EvaluationsPerImage)} NFE: {NumberText.WithSpread(d.Mean, d.Spread)}");
    }
}
