using System.Collections;
using System.CommandLine;
using System.Globalization;
using FewStep.Runs;
using TorchSharp;

namespace FewStep.Cli.Verbs;

/// <summary>What a command line says, for manifests.</summary>
internal static class CommandLineManifest
{
    /// <summary>The manifest of a run.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="started">When the run started.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="type">Type that the network computes in.</param>
    public static ManifestSummary Create(ParseResult parsed, DateTimeOffset started, long seed, torch.ScalarType type) => new()
    {
        Version = RunEnvironment.Version,
        Started = started,
        Seed = seed,
        CommandLine = "fewstep " + string.Join(' ', parsed.Tokens.Select(t => t.Value.Contains(' ', StringComparison.Ordinal) ? $"\"{t.Value}\"" : t.Value)),
        Versions = RunEnvironment.Versions(),
        Options = Options(parsed),
        Machine = new SortedDictionary<string, string>(RunEnvironment.Machine().ToDictionary(), StringComparer.Ordinal) { ["network computes in"] = NumberFormat(type) },
    };

    /// <summary>The name of a number format in options and files: <c>float32</c>, <c>bfloat16</c>.</summary>
    public static string NumberFormat(torch.ScalarType type) => type.ToString().ToLowerInvariant();

    private static SortedDictionary<string, string> Options(ParseResult parsed)
    {
        var options = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var option in parsed.CommandResult.Command.Options)
        {
            if (parsed.GetResult(option) is { } result && result.GetValueOrDefault<object?>() is { } value)
            {
                options[option.Name] = Text(value);
            }
        }

        return options;
    }

    private static string Text(object value) => value switch
    {
        string text => text,
        bool yes => yes ? "yes" : "no",
        torch.ScalarType type => NumberFormat(type),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable<object> items => string.Join(", ", items.Select(Text)),
        IEnumerable items => string.Join(", ", items.Cast<object>().Select(Text)),
        _ => value.ToString() ?? "",
    };
}
