namespace FewStep.Reporting.Html;

/// <summary>The elements that the page is made of. Text is escaped when the page is written.</summary>
internal static class Element
{
    private const int MostRows = 24; // a longer table is folded

    public static XElement Classed(string name, string cssClass, params object?[] content)
        => new(name, new XAttribute("class", cssClass), content);

    /// <summary>A section with its heading and the id that links reach it by.</summary>
    public static XElement Section(string id, string heading, params object?[] content) =>
        new("section", new XAttribute("id", id), new XElement("h2", heading), content);

    public static XElement Note(string text) => Classed("p", "remark", text);

    public static XElement Of(ReportBlock block) => block switch
    {
        HeadingBlock h => new("h3", h.Text),
        TextBlock { Weight: TextWeight.Lead } t => Classed("p", "lead", t.Text),
        TextBlock { Weight: TextWeight.Note } t => Note(t.Text),
        TextBlock t => new("p", t.Text),
        ListBlock l => new("ul", l.Items.Select(i => new XElement("li", i))),
        FactsBlock f
            => Classed("dl", "facts", f.Facts.Select(p => new XElement("div", new XElement("dt", p.Name), new XElement("dd", p.Value)))),
        TableBlock t => Table(t.Table, t.Caption),
        CodeBlock c => Classed("div", "code",
            Classed("div", "code-head", new XElement("span", c.Title),
                new XElement("button", new XAttribute("type", "button"), new XAttribute("class", "copy"), "Copy")),
            new XElement("pre", new XElement("code", c.Text))),
        DrawnBlock d => d.Draw(),
        _ => throw new ArgumentException($"There is no element for a {block.GetType().Name}.", nameof(block)),
    };

    // On a narrow screen the rows are stacked, their first number beside their name; a matrix scrolls sideways by itself.
    private static XElement Table(ReportTable table, string caption)
    {
        int key = table.Columns.TakeWhile(c => !c.IsNumeric).Count();
        var head = new XElement("tr", table.Columns.Select(
            c => new XElement("th", new XAttribute("scope", "col"), c.IsNumeric ? new XAttribute("class", "number") : null, c.Header)));
        XElement drawn = Classed("div", table.IsMatrix ? "scroll" : "scroll stack",
            new XAttribute("tabindex", "0"),
            new XAttribute("role", "region"),
            new XAttribute("aria-label", caption),
            new XElement("table", new XElement("thead", head), new XElement("tbody", table.Rows.Select(row => Row(row, table, key)))));
        return table.Rows.Count <= MostRows ? drawn
            : new("details", new XElement("summary", $"{caption}: {NumberText.Count(table.Rows.Count)} rows"), drawn);
    }

    private static XElement Row(ReportRow row, ReportTable table, int key) => new("tr",
        row.IsStrong ? new XAttribute("class", "result") : null,
        row.Cells.Select((cell, i) => i == 0
            ? new XElement("th", new XAttribute("scope", "row"), row.Style is null ? null : Figure.Chip(row.Style), cell.Text)
            : new XElement("td",
                new XAttribute("class", Classes(cell, table.Columns[i].IsNumeric, i == key)),
                new XAttribute("data-label", table.Columns[i].Header),
                cell.Text,
                cell.Detail is null ? null : Classed("small", "detail", cell.Detail))));

    private static string Classes(ReportCell cell, bool isNumeric, bool isKey)
    {
        int heat = (int)Math.Round(5 * Math.Abs(cell.Shade));
        string?[] classes =
        [
            isNumeric ? "number" : "text",
            isKey ? "key" : null,
            cell.Text == NumberText.Missing ? "missing" : null,
            cell.Mark switch { CellMark.Best => "best", CellMark.Undecided => "undecided", _ => null },
            cell.Shade > 0 ? "worse" : cell.Shade < 0 ? "better" : null,
            heat > 0 ? FormattableString.Invariant($"heat{heat}") : null,
        ];
        return string.Join(' ', classes.OfType<string>());
    }
}
