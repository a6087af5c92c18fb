using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using FewStep.Shards;

namespace FewStep.Cli.Cluster;

/// <summary>What every launcher asks for: the command that is divided, into how many shards, and where its jobs are written.</summary>
internal sealed class LaunchFlags
{
    private const string Separator = "--";
    private readonly string _launcher;
    private readonly Argument<string[]> _words = new("command")
    {
        Arity = ArgumentArity.OneOrMore,
        Description = "The command to divide, behind --, as it would be without --shard: sample --seeds 0-49999 --out images.",
    };

    private readonly Option<int> _shards;
    private readonly Option<int?> _maxRunning;
    private readonly Option<string?> _jobName, _write;
    private readonly Option<bool> _replace, _json;

    /// <param name="place">What <c>--write</c> names, in words.</param>
    /// <param name="kind">Whether it names a file or a folder.</param>
    public LaunchFlags(Command command, string place, string kind)
    {
        _launcher = command.Name;
        _words.CompletionSources.Add(Behind);
        command.Add(_words);
        _shards = command.Required<int>("--shards", "Number of shards, each a task of the cluster.", "n");
        _maxRunning = command.Optional<int?>("--max-running", "Shards that run at the same time, at the most; left out, all may.", "n");
        _jobName = command.Optional<string?>("--job-name", "Name of the jobs; left out, fewstep- and the command's verb.", "name");
        _write = command.Optional<string?>("--write", place, kind);
        _replace = command.Optional<bool>("--replace", "Replace what is there and differs.");
        _json = command.Json();
    }

    /// <summary>Whether the result is printed as JSON.</summary>
    public bool Json(ParseResult parsed) => parsed.GetValue(_json);

    /// <summary>Where the jobs are to be written; null for the usual place.</summary>
    public string? Place(ParseResult parsed) => parsed.GetValue(_write);

    /// <summary>Most shards that run at the same time; null for all.</summary>
    public int? MaxRunning(ParseResult parsed)
    {
        int? most = parsed.GetValue(_maxRunning);
        return most is null or > 0 ? most : throw new InvalidInputException(InvariantText.Of($"--max-running {most} must be 1 or more."));
    }

    /// <summary>The name of the jobs: a DNS label, which every scheduler takes.</summary>
    /// <param name="most">Characters that it may have.</param>
    public string JobName(ParseResult parsed, LaunchedCommand command, int most)
    {
        string name = parsed.GetValue(_jobName) ?? $"fewstep-{command.Verb}";
        return KubernetesName.IsLabel(name) && name.Length <= most ? name
            : throw new InvalidInputException($"--job-name {Printable.Text(name)} must have 1 to {most} small letters, digits and hyphens, "
                + "with a letter or digit at both ends.");
    }

    /// <summary>The command that is divided.</summary>
    /// <param name="threads">Processors that a shard gets; null where nothing says so.</param>
    /// <param name="hasGpu">Whether it gets a GPU.</param>
    public LaunchedCommand Command(ParseResult parsed, int? threads, bool hasGpu)
    {
        string example = $"fewstep cluster {_launcher} --shards 20 -- sample --seeds 0-49999 --out images";
        string[] words = parsed.GetValue(_words) ?? [];
        int at = parsed.Tokens.ToList().FindIndex(t => t.Type == TokenType.DoubleDash);
        if (at < 0 || parsed.Tokens.Count - at - 1 != words.Length)
            throw new InvalidInputException($"The command that is divided stands behind '{Separator}': {example}");
        return new LaunchedCommand(
            parsed.RootCommandResult.Command, words, new Shard(1, parsed.GetValue(_shards)).Count, threads, hasGpu);
    }

    /// <summary>The value of an option that has to keep a rule; null where it was left out.</summary>
    /// <param name="rule">What the value must be, in words.</param>
    public static string? Checked(ParseResult parsed, Option<string?> option, Func<string, bool> holds, string rule) =>
        parsed.GetValue(option) is var value && (value is null || holds(value)) ? value : throw Refused(option, value, rule);

    public static InvalidInputException Refused(Option option, string value, string rule) =>
        new($"{option.Name} {Printable.Text(value)} must be {rule}.");

    // Those of the command behind the separator, as if it stood alone.
    private static IEnumerable<CompletionItem> Behind(CompletionContext context)
    {
        const string separator = $" {Separator} ";
        if (context is not TextCompletionContext typed)
            return [];
        int start = typed.CommandLineText.IndexOf(separator, StringComparison.Ordinal) + separator.Length;
        return start < separator.Length || typed.CursorPosition < start ? []
            : context.ParseResult.RootCommandResult.Command.Parse(typed.CommandLineText[start..])
                .GetCompletions(typed.CursorPosition - start);
    }

    /// <summary>Writes a file, unless it is there as it would be.</summary>
    /// <exception cref="InvalidInputException">Another one is there, and may not be replaced.</exception>
    public void Write(ParseResult parsed, string path, string text)
    {
        const long most = 16 << 20;
        if (new FileInfo(path) is { Exists: true, Length: > 0 })
        {
            if (InputFile.ReadText(path, most) == text)
                return;
            if (!parsed.GetValue(_replace))
            {
                throw new InvalidInputException(
                    $"{path} is there and differs from what would be written; add --replace, or name another place with --write.");
            }
        }

        AtomicFile.WriteText(path, text);
    }
}
