namespace FewStep.Reporting.Charts;

/// <summary>Rows of points on one axis: schedules over sigma, trials over a figure.</summary>
internal sealed class RowChart
{
    private const double FontSize = 12;
    private readonly IReadOnlyList<ChartRow> _rows;
    private readonly ChartSize _size;
    private readonly Axis _axis;
    private readonly bool _isLinear;
    private readonly double _rowHeight;
    private readonly double _top;
    private readonly double _bottom;
    private readonly (double Value, string Label)? _reference;

    public RowChart(IReadOnlyList<ChartRow> rows, ChartSize size, (double Value, string Label)? reference = null, bool isLinear = false)
    {
        (_rows, _size, _reference, _isLinear) = (rows, size, reference, isLinear);
        double notes = rows.Max(r => TextLabels.Width(r.Note, FontSize)) + 14;
        double names = Math.Clamp(rows.Max(r => TextLabels.Width(r.Label, FontSize)) + 16, 60, 270);
        double start = size.IsNarrow ? 16 : names, end = size.Width - (size.IsNarrow ? 16 : Math.Min(notes, 200));
        double[] values =
            [.. rows.SelectMany(r => r.Points).Select(p => p.Value), .. reference is { } r ? [r.Value] : Array.Empty<double>()];
        _axis = isLinear ? LinearAxis.Covering(values, start, end, 0.04) : LogAxis.Covering(values, start, end, 0.04);
        _rowHeight = (size.IsNarrow ? 44 : 26) + (rows.Any(r => r.Points.Any(p => p.Label.Length > 0)) ? 8 : 0);
        _top = reference is null ? 8 : 22;
        _bottom = _top + (_rowHeight * rows.Count);
    }

    public XElement Draw(string id, string title, string axisTitle)
    {
        List<XElement> content = [.. PlotArea.HorizontalAxis(_axis, _top, _bottom, axisTitle)];
        if (_reference is { } reference && double.IsFinite(_axis.Position(reference.Value)))
        {
            double x = _axis.Position(reference.Value);
            content.Add(Svg.Line(x, _top - 8, x, _bottom, "reference"));
            bool fits = x + 4 + TextLabels.Width(reference.Label, FontSize) <= _size.Width;
            content.Add(fits ? Svg.Text(x + 4, 12, reference.Label, "note") : Svg.Text(x - 4, 12, reference.Label, "note", "end"));
        }

        content.AddRange(_rows.SelectMany((row, i) => Row(row, _top + (_rowHeight * i))));
        string description = string.Join("; ",
            _rows.Select(r => $"{r.Label}: {string.Join(", ", r.Points.Where(p => !p.IsMinor).Select(p => NumberText.Sigma(p.Value)))}"));
        return Svg.Chart($"{id}-{_size.Suffix}", _size, _bottom + 44, title, description + ".", content);
    }

    private IEnumerable<XElement> Row(ChartRow row, double top)
    {
        double y = top + _rowHeight - 10;
        ChartRowPoint[] points =
            [.. row.Points.Where(p => (_isLinear || p.Value > 0) && double.IsFinite(p.Value)).OrderBy(p => p.IsMinor ? 0 : 1)];
        (double, string)[] labels = [.. points.Select(p => (_axis.Position(p.Value), p.Label))];
        IReadOnlySet<int> shown = TextLabels.Choose(labels, FontSize - 1);
        yield return _size.IsNarrow
            ? Svg.Text(4, top + 14, TextLabels.Fit(row.Label, _size.Width - TextLabels.Width(row.Note, FontSize) - 24, FontSize), "name")
            : Svg.Text(_axis.Start - 12, y + 4, TextLabels.Fit(row.Label, _axis.Start - 14, FontSize), "name", "end");
        yield return _size.IsNarrow
            ? Svg.Text(_size.Width - 4, top + 14, row.Note, "note", "end")
            : Svg.Text(_axis.End + 10, y + 4, row.Note, "note");
        yield return Svg.Line(_axis.Start, y, _axis.End, y, "row");
        if (row.Joined && points.Length > 0)
        {
            double left = _axis.Position(points.Min(p => p.Value)), right = _axis.Position(points.Max(p => p.Value));
            yield return Svg.Line(row.ToZero ? _axis.Start : left, y, right, y, $"joint {row.Style.CssClass}");
        }

        if (row.ToZero && points.Length > 0)
        {
            yield return Svg.Polyline(
                [(_axis.Start + 6, y - 4), (_axis.Start, y), (_axis.Start + 6, y + 4)], $"joint {row.Style.CssClass}");
        }

        for (int i = 0; i < points.Length; i++)
        {
            double x = _axis.Position(points[i].Value);
            yield return points[i].IsMinor
                ? Svg.Marker(MarkerShape.Circle, x, y, 3, $"minor {row.Style.CssClass}", points[i].Tooltip)
                : Svg.Marker(row.Style.Shape, x, y, 4.5, $"point {row.Style.CssClass}", points[i].Tooltip);
            if (points[i].Label.Length > 0 && shown.Contains(i))
                yield return Svg.Text(x, y - 9, points[i].Label, "value", "middle");
        }
    }
}

/// <summary>One row of a <see cref="RowChart"/>.</summary>
internal sealed record ChartRow(string Label, MethodStyle Style, IReadOnlyList<ChartRowPoint> Points)
{
    public string Note { get; init; } = "";

    /// <summary>Whether a thin line joins the points.</summary>
    public bool Joined { get; init; }

    /// <summary>Whether an arrow leads from the lowest point to the left: a last step to zero.</summary>
    public bool ToZero { get; init; }
}

/// <summary>A point of a row.</summary>
internal sealed record ChartRowPoint(double Value, string Tooltip, string Label = "", bool IsMinor = false);
