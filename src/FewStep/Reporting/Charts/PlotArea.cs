namespace FewStep.Reporting.Charts;

/// <summary>The rectangle between two axes: grid, tick labels and axis titles.</summary>
internal sealed record PlotArea(Axis X, Axis Y, string XTitle, string YTitle)
{
    public IEnumerable<XElement> Frame()
    {
        foreach (AxisTick tick in Y.Ticks((int)(Y.Length / 40)).Where(t => t.IsMajor))
        {
            double y = Y.Position(tick.Value);
            yield return Svg.Line(X.Start, y, X.End, y, "grid");
            yield return Svg.Text(X.Start - 6, y + 4, tick.Label, "tick", "end");
        }

        foreach (XElement element in HorizontalAxis(X, Y.End, Y.Start, XTitle))
            yield return element;
        if (YTitle.Length > 0)
            yield return Svg.Text(X.Start - 54, Y.End - 10, YTitle, "axis");
    }

    /// <summary>Vertical grid lines between two heights, the base line, tick labels and the title of a horizontal axis.</summary>
    public static IEnumerable<XElement> HorizontalAxis(Axis axis, double top, double bottom, string title)
    {
        IReadOnlyList<AxisTick> ticks = axis.Ticks((int)(axis.Length / 62));
        foreach (AxisTick tick in ticks)
        {
            double x = axis.Position(tick.Value);
            yield return tick.IsMajor ? Svg.Line(x, top, x, bottom, "grid") : Svg.Line(x, bottom, x, bottom + 3, "base");
        }

        yield return Svg.Line(axis.Start, bottom, axis.End, bottom, "base");
        foreach (AxisTick tick in ticks.Where(t => t.IsMajor))
            yield return Svg.Text(axis.Position(tick.Value), bottom + 17, tick.Label, "tick", "middle");
        if (title.Length > 0)
            yield return Svg.Text((axis.Start + axis.End) / 2, bottom + 36, title, "axis", "middle");
    }
}
