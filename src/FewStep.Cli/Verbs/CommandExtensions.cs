using System.CommandLine.Parsing;

namespace FewStep.Cli.Verbs;

/// <summary>Gives a command its options: name, description, default, and the word that help shows for the value. Help lists them in the
/// order in which they are given.</summary>
internal static class CommandExtensions
{
    /// <summary>An option with a default, which help shows.</summary>
    public static Option<T> Option<T>(
        this Command command, string name, string description, T leftOut, string? help = null, Func<string, T>? parse = null)
    {
        var option = command.Optional(name, description, help, parse);
        option.DefaultValueFactory = _ => leftOut;
        return option;
    }

    /// <summary>An option that must be given.</summary>
    public static Option<T> Required<T>(this Command command, string name, string description, string? help = null)
    {
        var option = command.Optional<T>(name, description, help);
        option.Required = true;
        return option;
    }

    /// <summary>An option that may be left out; it then has the type's default. Numbers are read by <see cref="NumberOption"/>.</summary>
    public static Option<T> Optional<T>(
        this Command command, string name, string description, string? help = null, Func<string, T>? parse = null)
    {
        var option = new Option<T>(name) { Description = description, HelpName = help };
        if ((parse ?? NumberOption.Parser<T>(name)) is { } read)
            option.CustomParser = result => Parse(result, read);
        command.Add(option);
        return option;
    }

    /// <summary>A switch that may have a word after it; without one its value is null.</summary>
    public static Option<string?> OrBare(this Command command, string name, string description, string help)
    {
        var option = command.Optional<string?>(name, description, help);
        option.Arity = ArgumentArity.ZeroOrOne;
        return option;
    }

    /// <summary>A switch of all verbs.</summary>
    public static void Everywhere(this RootCommand root, string name, string description) =>
        root.Optional<bool>(name, description).Recursive = true;

    /// <summary>The model, which needs no name before it.</summary>
    public static Argument<string> Argument(this Command command, string description)
    {
        var argument = new Argument<string>("model") { Description = description };
        command.Add(argument);
        return argument;
    }

    /// <summary>An option that takes one of a few words.</summary>
    public static Option<T> Named<T>(
        this Command command, string name, string description, T leftOut, params (string Word, T Value)[] values)
    {
        string help = string.Join('|', values.Select(v => v.Word));
        T Parse(string text) => Array.FindIndex(values, v => v.Word == text) is >= 0 and int found ? values[found].Value
            : throw new InvalidInputException($"{name} '{text}' is none of {string.Join(", ", values.Select(v => v.Word))}."
                + Suggestion.For(text, values.Select(v => v.Word)));
        return leftOut is null ? command.Optional(name, description, help, Parse) : command.Option(name, description, leftOut, help, Parse);
    }

    /// <summary>Says what the command does.</summary>
    /// <returns>The command.</returns>
    public static Command Runs(this Command command, Action<ParseResult, CancellationToken> action) =>
        command.Runs((parsed, cancellation) =>
        {
            action(parsed, cancellation);
            return ExitCode.Success;
        });

    /// <summary>Says what the command does, and with which exit code it ends.</summary>
    /// <returns>The command.</returns>
    public static Command Runs(this Command command, Func<ParseResult, CancellationToken, int> action)
    {
        command.SetAction((parsed, cancellation) => Task.FromResult(action(parsed, cancellation)));
        return command;
    }

    /// <summary>Whether the command line has the option, and not its default alone.</summary>
    public static bool IsGiven(this ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>The command and all below it.</summary>
    public static IEnumerable<Command> WithSubcommands(this Command command) =>
        command.Subcommands.SelectMany(WithSubcommands).Prepend(command);

    private static T? Parse<T>(ArgumentResult result, Func<string, T> parse)
    {
        try
        {
            return parse(result.Tokens.Count == 1 ? result.Tokens[0].Value : "");
        }
        catch (InvalidInputException e)
        {
            result.AddError(e.Message);
            return default;
        }
    }
}
