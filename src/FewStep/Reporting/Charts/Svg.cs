namespace FewStep.Reporting.Charts;

/// <summary>Elements of inline SVG. Looks come from the page's style sheet by class, so that light, dark and print agree.</summary>
internal static class Svg
{
    public static readonly XNamespace Space = "http://www.w3.org/2000/svg";

    /// <summary>A chart that scales with the page.</summary>
    public static XElement Chart(string id, ChartSize size, double height, string title, string description, IEnumerable<XElement> content)
        => new(Space + "svg",
            new XAttribute("viewBox", $"0 0 {Px(size.Width)} {Px(height)}"),
            new XAttribute("class", size.IsNarrow ? "chart narrow" : "chart wide"),
            new XAttribute("role", "img"),
            new XAttribute("aria-labelledby", $"{id}-t {id}-d"),
            new XElement(Space + "title", new XAttribute("id", $"{id}-t"), title),
            new XElement(Space + "desc", new XAttribute("id", $"{id}-d"), description),
            content);

    /// <summary>A picture that <see cref="Window"/> shows pieces of; it takes no room itself.</summary>
    public static XElement Picture(string id, int width, int height, string source) => new(Space + "svg",
            new XAttribute("class", "picture"),
            new XAttribute("aria-hidden", "true"),
            new XElement(
                Space + "image", new XAttribute("id", id), At("width", width), At("height", height), new XAttribute("href", source)));

    /// <summary>A piece of a <see cref="Picture"/>, of its whole height.</summary>
    public static XElement Window(string id, double left, double width, int height, string label) => new(Space + "svg",
            new XAttribute("viewBox", $"{Px(left)} 0 {Px(width)} {Px(height)}"),
            new XAttribute("role", "img"),
            new XAttribute("aria-label", label),
            new XElement(Space + "use", new XAttribute("href", $"#{id}")));

    public static XElement Line(double x1, double y1, double x2, double y2, string cssClass) =>
        new(Space + "line", At("x1", x1), At("y1", y1), At("x2", x2), At("y2", y2), new XAttribute("class", cssClass));

    public static XElement Text(double x, double y, string text, string cssClass, string anchor = "start") =>
        new(Space + "text", At("x", x), At("y", y), new XAttribute("class", cssClass), new XAttribute("text-anchor", anchor), text);

    /// <summary>A line through points; it breaks where a coordinate is not finite.</summary>
    public static XElement Polyline(IEnumerable<(double X, double Y)> points, string cssClass)
    {
        var path = new System.Text.StringBuilder();
        bool down = false;
        foreach ((double x, double y) in points)
        {
            bool finite = double.IsFinite(x) && double.IsFinite(y);
            if (finite)
                path.Append(down ? 'L' : 'M').Append(Px(x)).Append(' ').Append(Px(y));
            down = finite;
        }

        return new XElement(Space + "path", new XAttribute("d", path.ToString()), new XAttribute("class", cssClass));
    }

    /// <summary>A filled band between two lines; points with a coordinate that is not finite are left out.</summary>
    public static XElement Band(IEnumerable<(double X, double Low, double High)> points, string cssClass)
    {
        (double X, double Low, double High)[] finite =
            [.. points.Where(p => double.IsFinite(p.X) && double.IsFinite(p.Low) && double.IsFinite(p.High))];
        string path = string.Join(
            'L', finite.Select(p => $"{Px(p.X)} {Px(p.High)}").Concat(finite.Reverse().Select(p => $"{Px(p.X)} {Px(p.Low)}")));
        return new XElement(Space + "path", new XAttribute("d", path.Length == 0 ? "" : $"M{path}Z"), new XAttribute("class", cssClass));
    }

    /// <summary>A data point with its exact value as a tooltip.</summary>
    public static XElement Marker(MarkerShape shape, double x, double y, double radius, string cssClass, string? tooltip = null)
    {
        XElement? title = tooltip is null ? null : new XElement(Space + "title", tooltip);
        if (shape == MarkerShape.Circle)
            return new XElement(Space + "circle", At("cx", x), At("cy", y), At("r", radius), new XAttribute("class", cssClass), title);
        (double X, double Y)[] corners = shape switch
        {
            MarkerShape.Diamond => [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)],
            MarkerShape.Square => [(-0.95, -0.95), (0.95, -0.95), (0.95, 0.95), (-0.95, 0.95)],
            _ => [(0, -1.25), (1.15, 0.85), (-1.15, 0.85)],
        };
        string path = string.Join('L', corners.Select(c => $"{Px(x + (c.X * radius))} {Px(y + (c.Y * radius))}"));
        return new XElement(Space + "path", new XAttribute("d", $"M{path}Z"), new XAttribute("class", cssClass), title);
    }

    private static XAttribute At(string name, double pixels) => new(name, Px(pixels));
    private static string Px(double pixels) => Math.Round(pixels, 1).ToString("0.#", CultureInfo.InvariantCulture);
}

/// <summary>Shape of a data point: tells methods apart where colour does not.</summary>
internal enum MarkerShape
{
    Circle,
    Diamond,
    Square,
    Triangle,
}

/// <summary>The two sizes in which each chart is drawn; the page shows the one that fits, so that text keeps its size on a phone.</summary>
internal sealed record ChartSize(double Width, bool IsNarrow)
{
    public static readonly ChartSize Wide = new(860, false);
    public static readonly ChartSize Narrow = new(370, true);

    /// <summary>Ends an element's id: each size has its own.</summary>
    public string Suffix => IsNarrow ? "narrow" : "wide";
}
