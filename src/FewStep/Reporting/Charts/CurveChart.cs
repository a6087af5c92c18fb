namespace FewStep.Reporting.Charts;

/// <summary>Small charts side by side on common axes: values over network evaluations, with error bars.</summary>
internal sealed class CurveChart
{
    private const double PanelHeight = 230, Left = 46, Right = 14, Top = 26, Bottom = 28, TitleHeight = 20;
    private const double MostTimesLeast = 300; // a diverged cell must not flatten all others
    private readonly IReadOnlyList<CurvePanel> _panels;
    private readonly ChartSize _size;
    private readonly bool _isLinear;
    private readonly double _least;
    private readonly double _most;

    public CurveChart(IReadOnlyList<CurvePanel> panels, ChartSize size, bool isLinear)
    {
        (_panels, _size, _isLinear) = (panels, size, isLinear);
        double[] values =
            [.. Points.SelectMany(p => new[] { p.Value, p.Value + (p.Spread ?? 0), p.Value - (p.Spread ?? 0) }).Where(IsShown)];
        double least = Points.Select(p => p.Value).Where(IsShown).Min();
        // an error bar that reaches zero must not stretch the axis without end
        _least = isLinear ? values.Min() : Math.Max(values.Min(), least / 2);
        _most = isLinear ? values.Max() : values.Where(v => v <= least * MostTimesLeast).Max();
        IsCut = values.Max() > _most;
    }

    /// <summary>Whether values above the axis are drawn at its upper edge.</summary>
    public bool IsCut { get; }

    private IEnumerable<CurvePoint> Points => _panels.SelectMany(p => p.Lines).SelectMany(l => l.Points);
    private bool IsShown(double value) => double.IsFinite(value) && (_isLinear || value > 0);
    private int Columns => _size.IsNarrow ? 1 : Math.Min(_panels.Count, 3);

    public XElement Draw(string id, string title, string xTitle, string yTitle)
    {
        int rows = (_panels.Count + Columns - 1) / Columns;
        double width = _size.Width / Columns;
        List<XElement> content = [Svg.Text(4, 13, TextLabels.Fit(yTitle, _size.Width - 8, 12), "axis")];
        for (int i = 0; i < _panels.Count; i++)
            content.AddRange(Panel(_panels[i], i % Columns * width, TitleHeight + (i / Columns * PanelHeight), width));
        double height = TitleHeight + (rows * PanelHeight) + 18;
        content.Add(Svg.Text(_size.Width / 2, height - 6, xTitle, "axis", "middle"));
        string description = string.Join("; ", _panels.SelectMany(p => p.Lines.Select(l => $"{p.Title}, {l.Name}: "
            + $"{string.Join(", ", l.Points.Select(q => $"{NumberText.Evaluations(q.X)}: {NumberText.Significant(q.Value)}"))}")));
        return Svg.Chart($"{id}-{_size.Suffix}", _size, height, title, description + ".", content);
    }

    private IEnumerable<XElement> Panel(CurvePanel panel, double left, double top, double width)
    {
        double first = Points.Min(p => p.X), last = Points.Max(p => p.X), margin = Math.Max(0.5, (last - first) * 0.06);
        Axis x = new ListedAxis([.. Points.Select(p => p.X)], first - margin, last + margin, left + Left, left + width - Right);
        (double low, double high) = (top + PanelHeight - Bottom, top + Top);
        Axis y = _isLinear ? LinearAxis.Covering([_least, _most], low, high, 0.05) : LogAxis.Covering([_least, _most], low, high, 0.05);
        yield return Svg.Text(left + Left, top + 16, TextLabels.Fit(panel.Title, width - Left, 12), "name");
        foreach (XElement element in new PlotArea(x, y, "", "").Frame())
            yield return element;
        foreach (CurveLine line in panel.Lines)
        {
            CurvePoint[] points = [.. line.Points.Where(p => IsShown(p.Value)).OrderBy(p => p.X)];
            yield return Svg.Polyline(points.Select(p => (x.Position(p.X), y.Position(p.Value))), line.Style.LineClass);
            foreach (CurvePoint point in points)
            {
                double px = x.Position(point.X);
                if (point.Spread is > 0 and double spread)
                {
                    yield return Svg.Line(px, y.Position(_isLinear ? point.Value - spread : Math.Max(point.Value - spread, _least / 2)), px,
                        y.Position(point.Value + spread), $"error {line.Style.CssClass}");
                }

                yield return Svg.Marker(line.Style.Shape, px, y.Position(point.Value), 3.6, $"point {line.Style.CssClass}", point.Tooltip);
            }
        }
    }
}

/// <summary>One of the small charts.</summary>
internal sealed record CurvePanel(string Title, IReadOnlyList<CurveLine> Lines);

/// <summary>A line of a <see cref="CurvePanel"/>.</summary>
internal sealed record CurveLine(string Name, MethodStyle Style, IReadOnlyList<CurvePoint> Points);

/// <summary>A point of a <see cref="CurveLine"/>.</summary>
internal sealed record CurvePoint(double X, double Value, double? Spread, string Tooltip);
