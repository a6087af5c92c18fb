namespace FewStep.Reporting;

/// <summary>A piece of a section, in a form that page, Markdown and terminal can take. Text is plain; who writes it escapes it.</summary>
internal abstract record ReportBlock;

internal sealed record HeadingBlock(string Text) : ReportBlock;

internal sealed record TextBlock(string Text, TextWeight Weight = TextWeight.Normal) : ReportBlock;

internal enum TextWeight
{
    /// <summary>What the whole report comes down to.</summary>
    Lead,
    Normal,

    /// <summary>A remark that a terminal leaves out.</summary>
    Note,
}

internal sealed record ListBlock(IReadOnlyList<string> Items) : ReportBlock;

internal sealed record TableBlock(ReportTable Table, string Caption) : ReportBlock;

internal sealed record FactsBlock(IReadOnlyList<(string Name, string Value)> Facts) : ReportBlock;

/// <summary>Text to copy, with its line breaks.</summary>
internal sealed record CodeBlock(string Title, string Text) : ReportBlock;

/// <summary>What only a page can show. It is not drawn for others.</summary>
internal sealed record DrawnBlock(Func<XElement> Draw) : ReportBlock;
