using FewStep.Shards;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep merge</c>: joins the parts that shards left in a folder, to what the undivided command would have left
/// there.</summary>
/// <remarks>It is the shards' own command in its last stage, so that their options are said once.</remarks>
internal static class MergeVerb
{
    private const string Verb = "merge";
    private static readonly Argument<string> Folder = new("folder") { Description = "The --out of the shards." };
    private static readonly string[] Divided = ["sample", "evaluate", "compare", "schedule", "fit"];

    public static Command Create()
    {
        var command = new Command(Verb, "Join what shards (--shard) have left in a folder, to what the undivided command would have left "
            + "there. It may be run at any time: it takes what is complete, and says what is missing.") { Folder };
        command.Json();
        return command;
    }

    /// <summary>The command that is meant: of <c>merge</c> the one that the parts are of, in its last stage.</summary>
    public static ParseResult Meant(Command root, ParseResult parsed, params string[] everywhere)
    {
        if (parsed.CommandResult.Command.Name != Verb || parsed.Action is System.CommandLine.Help.HelpAction)
            return parsed;
        string folder = parsed.GetRequiredValue(Folder);
        var first = Parts.Of(folder).All.First();
        var words = first.Manifest.Command;
        string[] given = [.. everywhere.Append(SharedOptions.JsonName).Where(name => parsed.GetValue<bool>(name) && !words.Contains(name))];
        var meant = root.Parse([.. ShardFlags.Line(words, folder, ShardStage.Merge), .. given]);
        return meant.Errors.Count == 0 && Divided.Contains(words[0]) && meant.CommandResult.Command.Name == words[0] ? meant
            : throw new InvalidInputException($"{first.Folder} is of no command that this program can join: "
                + $"{Printable.Line(string.Join(' ', words), 200)}. {OptionValues.Describe(meant)}");
    }
}
