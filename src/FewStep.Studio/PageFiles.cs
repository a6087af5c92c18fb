using FewStep.Reporting.Html;

namespace FewStep.Studio;

/// <summary>The page's files, which lie in the program. Its looks are the reports', with what a studio has more.</summary>
internal static class PageFiles
{
    private const string Prefix = "FewStep.Studio.";

    private static readonly Dictionary<string, string> Types = new()
    {
        [".html"] = "text/html; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
    };

    private static readonly Dictionary<string, (string Type, byte[] Content)> All = Read();

    /// <summary>Names of the files.</summary>
    public static IEnumerable<string> Names => All.Keys;

    /// <summary>The content and its type; null where there is no such file. The empty name is the page.</summary>
    public static (string Type, byte[] Content)? Find(string name) =>
        All.TryGetValue(name.Length == 0 ? "index.html" : name, out var file) ? file : null;

    /// <summary>Files that lie in the program under names with a prefix, which is taken off.</summary>
    public static IEnumerable<(string Name, byte[] Content)> Embedded(string prefix)
    {
        var assembly = typeof(PageFiles).Assembly;
        foreach (string resource in assembly.GetManifestResourceNames().Where(n => n.StartsWith(prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            byte[] content = new byte[stream.Length];
            stream.ReadExactly(content);
            yield return (resource[prefix.Length..], content);
        }
    }

    private static Dictionary<string, (string, byte[])> Read()
    {
        var files = new Dictionary<string, (string, byte[])> { ["report.css"] = (Types[".css"], Encoding.UTF8.GetBytes(Asset.Style)) };
        foreach (var (name, content) in Embedded(Prefix))
            files[name] = (Types[Path.GetExtension(name)], content);
        return files;
    }
}
