using FewStep.Reporting.Charts;

namespace FewStep.Reporting.Html;

/// <summary>A chart in both sizes with its legend and caption.</summary>
internal static class Figure
{
    public static XElement Build(
        Func<ChartSize, XElement> draw, string caption, params IReadOnlyList<(XElement Sample, string Text)> legend) => new("figure",
            legend.Count == 0 ? null : Element.Classed("ul", "legend", legend.Select(l => new XElement("li", l.Sample, l.Text))),
            draw(ChartSize.Wide),
            draw(ChartSize.Narrow),
            new XElement("figcaption", caption));

    /// <summary>A method's marker, for legends and tables.</summary>
    public static XElement Chip(MethodStyle style) => Sample(Svg.Marker(style.Shape, 8, 8, 4.5, $"point {style.CssClass}"));

    /// <summary>A line with a data point, for legends.</summary>
    public static XElement PointSample(MethodStyle style)
        => Sample(Svg.Line(0, 8, 16, 8, style.LineClass), Svg.Marker(style.Shape, 8, 8, 3.6, $"point {style.CssClass}"));

    /// <summary>A piece of a line, for legends.</summary>
    public static XElement LineSample(string cssClass) => Sample(Svg.Line(0, 8, 16, 8, cssClass));

    /// <summary>A small drawing of 16 by 16 pixels that says nothing by itself.</summary>
    public static XElement Sample(params XElement[] content) =>
        new(Svg.Space + "svg", new XAttribute("class", "chip"), new XAttribute("viewBox", "0 0 16 16"),
            new XAttribute("aria-hidden", "true"), content);
}
