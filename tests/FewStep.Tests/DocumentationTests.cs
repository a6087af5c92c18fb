using System.Text.RegularExpressions;

namespace FewStep.Tests;

/// <summary>The pages, README.md and those below docs.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string Docs = Repository.At("docs");

    private static readonly string[] Pages =
    [
        .. Directory.EnumerateFiles(Repository.At(), "*.md"),
        .. new[] { "docs", "models", "data" }.SelectMany(
            folder => Directory.EnumerateFiles(Repository.At(folder), "*.md", SearchOption.AllDirectories)),
    ];

    private static readonly (string Page, string Place, string Heading)[] Links = [.. Pages.SelectMany(LinksOf)];

    [Fact]
    public void Every_relative_link_leads_to_a_file_and_a_heading_of_it()
    {
        Assert.NotEmpty(Links);
        var broken = Links.Where(link => !Path.Exists(link.Place)
            || (link.Heading.Length > 0 && !HeadingsOf(link.Place).Contains(link.Heading, StringComparer.Ordinal)));
        Assert.Empty(broken.Select(link => $"{Named(link.Page)}: {Named(link.Place)} {link.Heading}"));
    }

    [Fact]
    public void Every_page_and_picture_is_linked_to()
    {
        string[] pictures = Directory.GetFiles(Path.Combine(Docs, "images"));
        Assert.NotEmpty(pictures);
        var own = Pages.Where(page => page.StartsWith(Docs, StringComparison.Ordinal));
        Assert.Empty(own.Concat(pictures).Except(Links.Select(link => link.Place)).Select(Named));
    }

    private static string Named(string file) => Path.GetRelativePath(Repository.At(), file);

    private static IEnumerable<(string Page, string Place, string Heading)> LinksOf(string page) =>
        from Match link in Link().Matches(Code().Replace(File.ReadAllText(page), ""))
        let target = link.Groups["to"].Value.Split('#')
        let place = target[0].Length == 0 ? page : Path.GetFullPath(target[0], Path.GetDirectoryName(page)!)
        select (page, place, target.ElementAtOrDefault(1) ?? "");

    // As GitHub names them: small letters, no punctuation, hyphens for spaces.
    private static IEnumerable<string> HeadingsOf(string page) =>
        from Match heading in Heading().Matches(File.ReadAllText(page))
        select Punctuation().Replace(heading.Groups[1].Value, "").ToLowerInvariant().Replace(' ', '-');

    [GeneratedRegex("""\]\((?![a-z]+:)(?<to>[^)\s]+)|<(?:a href|img src)="(?![a-z]+:)(?<to>[^"]+)""")]
    private static partial Regex Link();

    [GeneratedRegex("^```.*?^```|`[^`\n]*`", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Code();

    [GeneratedRegex("^#+ (.*?)\r?$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();
}
