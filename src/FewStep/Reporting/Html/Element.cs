using System.Xml.Linq;

namespace FewStep.Reporting.Html;

/// <summary>The elements that the sections are made of. Text is escaped when the page is written.</summary>
internal static class Element
{
    /// <summary>An element with a class.</summary>
    public static XElement Classed(string name, string cssClass, params object?[] content) => new(name, new XAttribute("class", cssClass), content);

    /// <summary>A section with its heading and the id that links reach it by.</summary>
    public static XElement Section(string id, string heading, params object?[] content) =>
        new("section", new XAttribute("id", id), new XElement("h2", heading), content);

    /// <summary>A paragraph.</summary>
    public static XElement Paragraph(string text) => new("p", text);

    /// <summary>A lesser remark.</summary>
    public static XElement Note(string text) => Classed("p", "remark", text);

    /// <summary>A table that scrolls sideways by itself on a narrow screen.</summary>
    /// <param name="table">Columns and cells.</param>
    /// <param name="caption">What it holds, for screen readers.</param>
    /// <param name="rowClass">Class of a row by its index; null for none.</param>
    /// <param name="firstCell">What stands before the first cell's text by row index, e.g. a colour chip; null for none.</param>
    public static XElement Table(ReportTable table, string caption, Func<int, string?>? rowClass = null, Func<int, XElement?>? firstCell = null)
    {
        var head = new XElement("tr", table.Columns.Select(c => new XElement("th", new XAttribute("scope", "col"), c.IsNumeric ? new XAttribute("class", "number") : null, c.Header)));
        IEnumerable<XElement> body = table.Rows.Select((cells, row) => new XElement(
            "tr",
            rowClass?.Invoke(row) is { } name ? new XAttribute("class", name) : null,
            cells.Select((cell, column) => column == 0
                ? new XElement("th", new XAttribute("scope", "row"), firstCell?.Invoke(row), cell.Text)
                : new XElement("td", table.Columns[column].IsNumeric ? new XAttribute("class", "number") : null, cell.Text, cell.Detail is null ? null : Classed("small", "detail", cell.Detail)))));
        return Classed(
            "div",
            "scroll",
            new XAttribute("tabindex", "0"),
            new XAttribute("role", "region"),
            new XAttribute("aria-label", caption),
            new XElement("table", new XElement("thead", head), new XElement("tbody", body)));
    }

    /// <summary>Names and values, e.g. of options.</summary>
    public static XElement Facts(IEnumerable<(string Name, string Value)> facts) =>
        Classed("dl", "facts", facts.Select(f => new XElement("div", new XElement("dt", f.Name), new XElement("dd", f.Value))));
}
