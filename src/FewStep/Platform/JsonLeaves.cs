using System.Text.Json.Nodes;

namespace FewStep.Platform;

/// <summary>The values of nested JSON by the path of their names: <c>tuning.updates</c>.</summary>
internal static class JsonLeaves
{
    /// <summary>Values that are there, as text; lists are joined by commas.</summary>
    public static SortedDictionary<string, string> Of(JsonNode? node)
    {
        var leaves = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Add(leaves, "", node);
        return leaves;
    }

    /// <summary>The first value in which two differ, as a clause for people; null where they agree.</summary>
    public static string? Difference(IReadOnlyDictionary<string, string> there, IReadOnlyDictionary<string, string> here)
    {
        string? name = there.Keys.Union(here.Keys).Order(StringComparer.Ordinal)
            .FirstOrDefault(n => there.GetValueOrDefault(n) != here.GetValueOrDefault(n));
        if (name is null)
            return null;
        string? before = there.GetValueOrDefault(name), now = here.GetValueOrDefault(name);
        return IsHash(before) && IsHash(now) ? $"{name} is another" : $"{name} is {Short(before)} there, {Short(now)} here";
    }

    private static void Add(SortedDictionary<string, string> leaves, string name, JsonNode? node)
    {
        if (node is JsonObject parts)
        {
            foreach (var (part, value) in parts)
                Add(leaves, name.Length == 0 ? part : $"{name}.{part}", value);
        }
        else if (node is JsonArray list)
        {
            leaves[name] = string.Join(", ", list.Select(e => e?.ToString()));
        }
        else if (node?.ToString() is { Length: > 0 } text)
        {
            leaves[name] = text;
        }
    }

    private static bool IsHash(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);

    private static string Short(string? text) => text switch
    {
        null or "" => "absent",
        { Length: > 60 } => $"{text[..60]}...",
        _ => text,
    };
}
