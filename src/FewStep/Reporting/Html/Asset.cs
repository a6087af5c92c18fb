namespace FewStep.Reporting.Html;

/// <summary>The page's looks, and what it does on a click. Neither holds an angle bracket or an ampersand, so both read the same as HTML
/// and as XML; without the script all is still there to see.</summary>
internal static class Asset
{
    public static string Style { get; } = Read("page.css");
    public static string Script { get; } = Read("page.js");

    private static string Read(string name)
    {
        using Stream stream = typeof(Asset).Assembly.GetManifestResourceStream($"FewStep.Reporting.{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
