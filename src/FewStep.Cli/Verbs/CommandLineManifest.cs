using System.Collections;
using TorchSharp;

namespace FewStep.Cli.Verbs;

/// <summary>What a command line says, for manifests.</summary>
internal static class CommandLineManifest
{
    /// <summary>The manifest of a run, made when it is over: it says how long it took.</summary>
    public static ManifestSummary Create(
        ParseResult parsed, DateTimeOffset started, long seed, torch.Device device, string? numberFormat) =>
        RunEnvironment.Manifest(started, seed, device, numberFormat) with
        {
            CommandLine = CommandText(parsed),
            Options = Options(parsed),
        };

    /// <summary>The command line as a shell takes it: words with spaces or signs of the shell are quoted.</summary>
    public static string CommandText(ParseResult parsed) =>
        string.Join(' ', ShardFlags.Undivided(parsed).Select(ShellWord.Of).Prepend("fewstep"));

    private static SortedDictionary<string, string> Options(ParseResult parsed)
    {
        var options = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var option in parsed.CommandResult.Command.Options.Where(o => !ShardFlags.IsOne(o.Name)))
        {
            if (parsed.GetResult(option) is { } result && result.GetValueOrDefault<object?>() is { } value)
                options[option.Name] = Text(value);
        }

        return options;
    }

    private static string Text(object value) => value switch
    {
        string text => text,
        bool yes => yes ? "yes" : "no",
        torch.ScalarType type => ComputeType.Name(type),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable<object> items => string.Join(", ", items.Select(Text)),
        IEnumerable items => string.Join(", ", items.Cast<object>().Select(Text)),
        _ => value.ToString() ?? "",
    };
}
