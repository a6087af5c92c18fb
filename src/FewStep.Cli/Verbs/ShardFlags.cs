using FewStep.Shards;

namespace FewStep.Cli.Verbs;

/// <summary>How a verb's work is divided over machines: <c>--shard</c>, with which a verb does one stage of it.</summary>
internal sealed class ShardFlags
{
    public const string Name = "--shard", LocalName = "--local";
    private const string Folder = "--out";
    private const int MostProcesses = 1024;
    private static readonly string[] Prepared = ["evaluate", "compare"];

    private readonly Option<ShardStage?> _stage;

    /// <param name="pieces">What is shared out, in words.</param>
    public ShardFlags(Command command, string pieces)
    {
        _stage = command.Optional<ShardStage?>(
            Name, $"Do the i-th of n shares ({pieces}) and leave it in --out, where fewstep merge joins them; or 'prepare', which does "
                + "what all of them need and is done once.", "i/n", ShardStage.Parse);
        command.Optional<int?>(
            LocalName, "Do the work as so many shares, each a process on this machine (one a GPU, where there are GPUs), and join them.");
    }

    /// <summary>Whether an option says how the work is divided, on which no result depends.</summary>
    public static bool IsOne(string name) => name is Name or LocalName;

    /// <summary>The processes that a command line asks for; null for none.</summary>
    public static LocalShards? Local(ParseResult parsed, IProgress<WorkProgress> progress)
    {
        var options = parsed.CommandResult.Command.Options;
        if (options.FirstOrDefault(o => o.Name == LocalName) is not Option<int?> option || parsed.GetValue(option) is not int count)
            return null;
        if (StageOf(parsed) is not null)
            throw new InvalidInputException($"{LocalName} runs all shards itself; leave {Name} out.");
        if (count is < 1 or > MostProcesses)
            throw new InvalidInputException(InvariantText.Of($"{LocalName} must be 1 to {MostProcesses} processes, not {count}."));
        return new LocalShards(parsed, count, Place(parsed, LocalName), progress);
    }

    /// <summary>The folder that the parts of a command line are left in.</summary>
    /// <param name="option">What asks for it.</param>
    public static string Place(ParseResult parsed, string option) =>
        parsed.CommandResult.Command.Options.FirstOrDefault(o => o.Name == Folder) is Option<string> place
            && parsed.GetValue(place) is { } folder ? folder
            : throw new InvalidInputException($"{option} leaves its parts in a folder: name it with {Folder}.");

    /// <summary>Whether a verb has work that all shards need: what a search or the features of real images cost must not be spent by
    /// each.</summary>
    public static bool IsPrepared(string verb) => Prepared.Contains(verb);

    /// <summary>The stage that a command line asks for; null for the whole work, and for verbs whose work is not divided.</summary>
    public static ShardStage? StageOf(ParseResult parsed) =>
        parsed.CommandResult.Command.Options.FirstOrDefault(o => o.Name == Name) is Option<ShardStage?> option
            ? parsed.GetValue(option) : null;

    /// <summary>The division that was asked for; null for none.</summary>
    /// <param name="undivided">Options that are not for work in shares.</param>
    public Division? Read(ParseResult parsed, string? folder, params IEnumerable<Option> undivided)
    {
        if (parsed.GetValue(_stage) is not { } stage)
            return null;
        if (folder is null)
            throw new InvalidInputException($"{Name} leaves its part in a folder: name it with {Folder}.");
        if (undivided.FirstOrDefault(o => parsed.IsGiven(o)) is { } option)
            throw new InvalidInputException($"{option.Name} is not for work in shares; leave it out, or {Name}.");
        return new Division(stage, folder, Words(parsed));
    }

    /// <summary>Tells what a stage has left that is not the whole.</summary>
    public static void Tell(TerminalOutput terminal, bool json, Division division)
    {
        var shard = division.Stage.Shard;
        string words = shard is null ? $"{division.Folder} has what all shards need. Run them with {Name} 1/n to n/n."
            : $"Shard {shard} is done: {division.Done!.Folder}. With all {shard.Count}, join them: fewstep merge {division.Folder}";
        terminal.Result(
            json, new { shard = division.Stage.ToString(), part = division.Done?.Folder, run = division.Done?.Manifest.Run }, $"{words}");
    }

    /// <summary>The command line of the whole work, without program and folder, in one form however it was written.</summary>
    public static IReadOnlyList<string> Words(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        List<string> words = [command.Name];
        foreach (var option in command.Options.Where(o => !IsOne(o.Name) && o.Name != Folder))
        {
            if (parsed.GetResult(option) is not { Implicit: false } result)
                continue;
            if (result.Tokens.Count == 0)
                words.Add(option.Name);
            foreach (var token in result.Tokens)
                words.AddRange([option.Name, token.Value]);
        }

        return words;
    }

    /// <summary>The command line of another stage.</summary>
    public static string[] Line(IReadOnlyList<string> words, string folder, ShardStage stage) =>
        [.. words, Folder, folder, Name, stage.ToString()];

    /// <summary>The words of a command line but those that say how the work is divided.</summary>
    public static IEnumerable<string> Undivided(ParseResult parsed)
    {
        bool isValue = false;
        foreach (var token in parsed.Tokens)
        {
            if (!isValue && !IsOne(token.Value))
                yield return token.Value;
            isValue = IsOne(token.Value);
        }
    }
}
