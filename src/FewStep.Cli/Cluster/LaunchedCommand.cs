using System.CommandLine.Help;
using FewStep.Shards;

namespace FewStep.Cli.Cluster;

/// <summary>A command line that is divided into shards, each stage of which is a job of a cluster.</summary>
internal sealed class LaunchedCommand
{
    private const string Threads = SharedOptions.ThreadsName;
    private readonly IReadOnlyList<string> _words;

    /// <param name="root">The program's verbs, which read the command as they would in a job.</param>
    /// <param name="line">The command line without program.</param>
    /// <param name="count">Number of shards.</param>
    /// <param name="threads">Processors that a shard gets, said to the command unless it says how many threads it takes.</param>
    /// <param name="hasGpu">Whether it gets a GPU. It then computes there or fails, for parts of another device cannot be joined.</param>
    public LaunchedCommand(Command root, IReadOnlyList<string> line, int count, int? threads, bool hasGpu)
    {
        var parsed = root.Parse(line);
        var command = parsed.CommandResult.Command;
        string shown = $"'{Printable.Line(string.Join(' ', line), 80)}'";
        if (command is not RootCommand && (!IsDivided(command) || parsed.Action is HelpAction))
        {
            string[] divided = [.. root.Subcommands.Where(IsDivided).Select(c => c.Name)];
            throw new InvalidInputException(
                $"{shown} cannot be divided; what takes {ShardFlags.Name} can: {string.Join(", ", divided)}.");
        }

        if (parsed.Errors.Count > 0 || command is RootCommand)
            throw new InvalidInputException($"{shown}: {OptionValues.Describe(parsed)}");

        if (command.Options.FirstOrDefault(o => ShardFlags.IsOne(o.Name) && parsed.IsGiven(o)) is { } option)
            throw new InvalidInputException($"The jobs say {ShardFlags.Name} themselves; leave {option.Name} out.");
        if (hasGpu && DeviceFlag.Read(parsed) == DeviceChoice.Cpu)
            throw new InvalidInputException($"A GPU is asked for that {DeviceFlag.Name} cpu does not use; leave one of them out.");
        Parsed = parsed;
        (Verb, Count, Folder) = (command.Name, count, ShardFlags.Place(parsed, ShardFlags.Name));
        var words = ShardFlags.Words(parsed);
        string[] more = hasGpu ? [DeviceFlag.Name, "cuda"] : threads is { } number ? [Threads, InvariantText.Of($"{number}")] : [];
        _words = more.Length == 0 || words.Contains(more[0]) ? words : [.. words, .. more];
    }

    /// <summary>The command as it was read.</summary>
    public ParseResult Parsed { get; }

    public string Verb { get; }

    /// <summary>How many shards there are.</summary>
    public int Count { get; }

    /// <summary>The folder of the results, as it was written.</summary>
    public string Folder { get; }

    /// <summary>Whether something is done once before the shards.</summary>
    public bool IsPrepared => ShardFlags.IsPrepared(Verb);

    /// <summary>The words of all stages, without program, up to the word that says which stage it is.</summary>
    public IReadOnlyList<string> Words
    {
        get
        {
            string[] merge = ShardFlags.Line(_words, Folder, ShardStage.Merge);
            return merge[..^1];
        }
    }

    /// <summary>The shards whose parts are not there or not done.</summary>
    /// <exception cref="InvalidInputException">There are no parts, or those of another command or number of shards.</exception>
    public IReadOnlyList<int> Missing()
    {
        var parts = Parts.Of(Folder);
        var first = parts.All.First();
        return parts.Count == Count && first.Manifest.Command.SequenceEqual(_words) ? [.. parts.NotDone]
            : throw new InvalidInputException($"{first.Folder} is a part of '"
                + $"{Printable.Line(string.Join(' ', first.Manifest.Command.Select(ShellWord.Of)), 200)}' in {parts.Count} shards; say "
                + "the same command and --shards, or choose another folder.");
    }

    private static bool IsDivided(Command command) => command.Options.Any(o => o.Name == ShardFlags.Name);
}
