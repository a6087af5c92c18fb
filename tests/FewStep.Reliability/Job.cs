using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace FewStep.Reliability;

/// <summary>A command that can be repeated to go on, and what it leaves.</summary>
/// <param name="Verb">Its name.</param>
/// <param name="Line">The command line for a folder.</param>
/// <param name="Results">Files in the folder that must be the same to the bit, or in JSON but for times.</param>
/// <param name="Ranks">As how many processes it is launched.</param>
internal sealed record Job(string Verb, Func<string, string[]> Line, string[] Results, int Ranks = 1)
{
    /// <summary>Where processes of its own do the work, the first rename that they are killed at; 0 (default) where there are
    /// none.</summary>
    public int WorkerRename { get; init; }

    /// <summary>The same work by one process, which must leave the same; the command itself unless it has several.</summary>
    public Func<string, string[]> Undivided { get; init; } = Line;

    /// <summary>The command that goes on in a folder, whatever lies there.</summary>
    public string[] Again(string folder) =>
        Verb == "run" && File.Exists(Path.Combine(folder, "manifest.json")) ? [.. Line(folder), "--resume"] : Line(folder);

    /// <summary>What the results say, hashed.</summary>
    public string Fingerprint(string folder) => string.Join(' ', Results.Select(name => Hash(Path.Combine(folder, name))));

    private static string Hash(string path)
    {
        if (!File.Exists(path))
            return "missing";
        byte[] bytes = File.ReadAllBytes(path);
        if (path.EndsWith(".json", StringComparison.Ordinal))
        {
            var content = JsonNode.Parse(bytes)!;
            WithoutTimes(content);
            bytes = System.Text.Encoding.UTF8.GetBytes(content.ToJsonString());
        }

        return Convert.ToHexString(SHA256.HashData(bytes).AsSpan(0, 8));
    }

    private static void WithoutTimes(JsonNode? node)
    {
        if (node is JsonObject item)
        {
            item.Remove("seconds");
            foreach (var (_, value) in item)
                WithoutTimes(value);
        }
        else if (node is JsonArray list)
        {
            foreach (var value in list)
                WithoutTimes(value);
        }
    }
}
