using System.Text.RegularExpressions;

namespace FewStep.Cli.Cluster;

/// <summary>What Kubernetes takes as names (RFC 1123) and as quantities.</summary>
internal static partial class KubernetesName
{
    /// <summary>Characters of a label, at the most.</summary>
    public const int LongestLabel = 63;

    private const int LongestSubdomain = 253;

    /// <summary>Whether a text is a DNS label: what jobs and namespaces are called.</summary>
    public static bool IsLabel(string name) => name.Length <= LongestLabel && Label().IsMatch(name);

    /// <summary>Whether a text is a DNS subdomain, labels with points between them: what volume claims are called.</summary>
    public static bool IsSubdomain(string name) => name.Length <= LongestSubdomain && name.Split('.').All(part => Label().IsMatch(part));

    /// <summary>Processors, in whole and thousandth ones: 2, 0.5 or 500m; null for what is none.</summary>
    public static double? Processors(string text) => Cpu().Match(text) is { Success: true } found
        && double.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture) is > 0 and < 1e6 and var number
        ? found.Groups[2].Length > 0 ? number / 1000 : number : null;

    /// <summary>Whether a text is an amount of memory: 16Gi, 500M, 1.5Gi.</summary>
    public static bool IsMemory(string text) => Memory().Match(text) is { Success: true } found
        && double.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture) is > 0 and < 1e18;

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex Label();

    [GeneratedRegex(@"\A([0-9]{1,7}(?:\.[0-9]{1,3})?)(m?)\z")]
    private static partial Regex Cpu();

    [GeneratedRegex(@"\A([0-9]{1,18}(?:\.[0-9]{1,3})?)(?:[KMGTPE]i|[kMGTPE])?\z")]
    private static partial Regex Memory();
}
