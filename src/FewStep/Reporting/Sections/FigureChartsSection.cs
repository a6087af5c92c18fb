using FewStep.Experiments;
using FewStep.Reporting.Charts;
using FewStep.Reporting.Html;

namespace FewStep.Reporting.Sections;

/// <summary>Each figure as a chart: over network evaluations where there are several numbers, else one row a trial.</summary>
internal sealed class FigureChartsSection() : ReportSection("charts", "The figures as charts")
{
    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
        => page.Summary.Figures.SelectMany((figure, i) => Of(page, figure, FormattableString.Invariant($"figure{i}")));

    private static IEnumerable<ReportBlock> Of(ReportPage page, FigureSummary figure, string id)
    {
        TrialSummary[] drawn = [.. page.Shown.Where(t => t.Has(figure))];
        if (page.Numbers.Count > 1)
        {
            TrialSummary[] sampled =
                [.. drawn.Where(t => t.Role != TrialRole.Teacher && !t.IsTransfer && t.EvaluationsPerImage is not null)];
            return sampled.Length == 0 ? [] : Curves(page, figure, id, sampled);
        }

        return drawn.Length < 2 ? [] : [new DrawnBlock(() => Rows(page, figure, id, drawn))];
    }

    private static XElement Rows(ReportPage page, FigureSummary figure, string id, TrialSummary[] drawn)
    {
        ChartRow[] rows = [.. drawn.Select(t => Row(page, t, figure))];
        (double, string)? floor = figure.Floor is { } value
            && double.IsFinite(value) ? (value, $"floor {NumberText.WithSpread(value, figure.FloorSpread)}") : null;
        return Figure.Build(
            size => new RowChart(rows, size, floor, isLinear: IsLinear(figure, drawn))
                .Draw(id, $"{figure.Name} of each trial", AxisTitle(figure, drawn)),
            "Filled: mean over the seed ranges. Hollow: each range. At the right: mean ± spread, and network evaluations an image (NFE).");
    }

    private static ChartRow Row(ReportPage page, TrialSummary trial, FigureSummary figure)
    {
        FigureValues values = trial.Figures[figure.Key];
        string name = page.Label(trial), value = FigureText.Value(trial, figure);
        IEnumerable<ChartRowPoint> ranges = values.Ranges.Count < 2
            ? []
            : values.Ranges.Select(r => new ChartRowPoint(
                r.Value, $"{name}: {NumberText.Significant(r.Value, 4)} ({NumberText.Count(r.Images)} images from seed "
                    + $"{NumberText.Count(r.FirstSeed)})", IsMinor: true));
        return new ChartRow(name, page.Styles.Of(trial), [.. ranges, new ChartRowPoint(values.Mean, $"{name}: mean {value}")])
        {
            Note = trial.EvaluationsPerImage is { } evaluations ? $"{value} · {NumberText.Evaluations(evaluations)} NFE" : value,
        };
    }

    private static IEnumerable<ReportBlock> Curves(ReportPage page, FigureSummary figure, string id, TrialSummary[] drawn)
    {
        var methods = drawn.DistinctBy(t => (t.Series, t.Tuning))
            .ToDictionary(t => ReportPage.Method(t.Series, t.Tuning), page.Styles.Of);
        string[] solvers = [.. drawn.Select(t => t.SolverKind).OfType<string>().Distinct()];
        bool isLinear = IsLinear(figure, drawn);
        CurvePanel[] panels = [.. solvers.Select(s => new CurvePanel(
            s,
            [.. methods.Select(m => Line(s, m.Key, m.Value)).Where(l => l.Points.Count > 0)]))];
        string title = $"{figure.Name} over network evaluations";
        bool isCut = new CurveChart(panels, ChartSize.Wide, isLinear).IsCut;
        yield return new DrawnBlock(() => Figure.Build(
            size => new CurveChart(panels, size, isLinear).Draw(id, title, "network evaluations an image", AxisTitle(figure, drawn)),
            $"{(solvers.Length > 1 ? "One chart a solver, one line a schedule. " : "")}Bars: standard deviation over the seed "
                + $"ranges.{(isCut ? " Points at the upper edge lie beyond it." : "")}",
            [.. methods.Select(m => (Figure.PointSample(m.Value), m.Key))]));

        CurveLine Line(string solver, string method, MethodStyle style) => new(method, style,
            [.. drawn.Where(t => t.SolverKind == solver && ReportPage.Method(t.Series, t.Tuning) == method)
                .Select(t => Point(page, t, figure))]);

        CurvePanel best = new("best schedule of each solver", [.. solvers.Select(
            s => new CurveLine(s, page.Styles.Solver(s), [.. Best(page, figure, [.. drawn.Where(t => t.SolverKind == s)])]))]);
        if (solvers.Length > 1)
        {
            yield return new DrawnBlock(() => Figure.Build(
                size => new CurveChart([best], size, isLinear).Draw(
                    $"{id}-best", $"{title}: the best schedule of each solver", "network evaluations an image", AxisTitle(figure, drawn)),
                "The best schedule of each solver at each number; which it is, the points tell.",
                [.. solvers.Select(s => (Figure.PointSample(page.Styles.Solver(s)), s))]));
        }
    }

    private static IEnumerable<CurvePoint> Best(ReportPage page, FigureSummary figure, TrialSummary[] drawn) =>
        drawn.GroupBy(t => t.Number).Select(g => Point(page, g.MinBy(t => t.Cost(figure))!, figure));

    private static CurvePoint Point(ReportPage page, TrialSummary t, FigureSummary figure)
    {
        FigureValues values = t.Figures[figure.Key];
        return new(t.EvaluationsPerImage!.Value, values.Mean, values.Spread,
            $"{page.Label(t)}, {NumberText.Evaluations(t.EvaluationsPerImage.Value)} NFE: {FigureText.Value(t, figure)}");
    }

    // Distances go over decades; shares and scores do not, and some estimates fall below zero.
    private static bool IsLinear(FigureSummary figure, TrialSummary[] drawn) =>
        figure.HigherIsBetter || drawn.Any(t => t.Figures[figure.Key].Mean <= 0 || t.Figures[figure.Key].Ranges.Any(r => r.Value <= 0));

    private static string AxisTitle(FigureSummary figure, TrialSummary[] drawn) =>
        $"{figure.Name}{(IsLinear(figure, drawn) ? "" : ", log scale")}, {(figure.HigherIsBetter ? "higher" : "lower")} is better";
}
