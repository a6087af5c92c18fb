using System.Xml;

namespace FewStep.Reporting.Html;

/// <summary>The page around the sections, written as HTML that is also well-formed XML.</summary>
internal static class HtmlDocument
{
    private static readonly HashSet<string> VoidElements = ["meta", "img", "br"];

    // Of scripts only the page's own may run, whatever a name in it might smuggle in.
    public static string Policy { get; } =
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src "
            + $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Asset.Script)))}'";

    public static string Render(string title, string about, IEnumerable<XElement> sections)
    {
        var html = new XElement("html",
            new XAttribute("lang", "en"),
            new XElement("head",
                new XElement("meta", new XAttribute("charset", "utf-8")),
                new XElement("meta", new XAttribute("http-equiv", "Content-Security-Policy"), new XAttribute("content", Policy)),
                new XElement("meta", new XAttribute("name", "viewport"), new XAttribute("content", "width=device-width, initial-scale=1")),
                new XElement("meta", new XAttribute("name", "color-scheme"), new XAttribute("content", "light dark")),
                new XElement("title", title),
                new XElement("style", Asset.Style)),
            new XElement("body",
                new XElement("main", new XElement("header", new XElement("h1", title), Element.Classed("p", "what", about)), sections),
                new XElement("dialog", new XAttribute("id", "enlarged"), new XAttribute("aria-label", "One seed, row by row")),
                new XElement("script", Asset.Script)));
        MakeSafe(html);
        return "<!DOCTYPE html>\n" + Serialize(html) + "\n";
    }

    // Escaping is the writer's; what it cannot write (control characters) or HTML would misread (<p/> opens a paragraph) is mended here.
    private static void MakeSafe(XElement root)
    {
        foreach (XElement element in root.DescendantsAndSelf())
        {
            foreach (XAttribute attribute in element.Attributes().Where(a => !a.IsNamespaceDeclaration))
                attribute.Value = PlainText.OneLine(attribute.Value);
            foreach (XText text in element.Nodes().OfType<XText>().Where(_ => element.Name.LocalName is not ("style" or "script")))
                text.Value = element.Name == "code" ? PlainText.Lines(text.Value) : PlainText.OneLine(text.Value);
            if (element.IsEmpty && element.Name.Namespace == XNamespace.None && !VoidElements.Contains(element.Name.LocalName))
                element.Value = "";
        }
    }

    private static string Serialize(XElement html)
    {
        var text = new StringBuilder();
        using (XmlWriter writer = XmlWriter.Create(
            text, new XmlWriterSettings { OmitXmlDeclaration = true, Indent = false, NewLineHandling = NewLineHandling.None }))
        {
            html.Save(writer);
        }

        return text.ToString();
    }
}
