using System.CommandLine.Parsing;

namespace FewStep.Cli.Verbs;

/// <summary>What holds for the values of all options of all verbs.</summary>
internal static class OptionValues
{
    /// <summary>Has every option refuse an empty value: an empty path would be the current folder, or the root of the disk.</summary>
    public static void RefuseEmpty(Command command)
    {
        foreach (var option in command.WithSubcommands().SelectMany(c => c.Options))
        {
            option.Validators.Add(result =>
            {
                if (IsEmpty(result))
                    result.AddError($"{option.Name} must not be empty.");
            });
        }
    }

    /// <summary>The errors of a command line, one sentence an option, without the names of the program's types.</summary>
    public static string Describe(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        string[] known = [.. command.Subcommands.Select(c => c.Name), .. command.Options.SelectMany(o => o.Aliases.Prepend(o.Name))];
        if (parsed.UnmatchedTokens is [var unknown, ..])
        {
            if (command.Arguments.FirstOrDefault(a => parsed.GetResult(a)?.Tokens is [{ Value: ['-', '-', ..] }]) is { } taken
                && parsed.GetResult(taken)!.Tokens[0].Value == $"--{taken.Name}")
            {
                return $"{command.Name} takes the {taken.Name} by itself: {command.Name} {ShellWord.Of(unknown)}.";
            }

            string what = unknown.StartsWith('-') ? "option" : command.Subcommands.Count > 0 ? "verb" : "argument";
            return $"There is no {what} {Printable.Text(unknown)}{(command is RootCommand ? "" : $" of {command.Name}")}."
                + Suggestion.For(unknown, known);
        }

        return Describe(parsed.Errors);
    }

    /// <summary>Errors about options, in words.</summary>
    public static string Describe(IEnumerable<ParseError> errors)
    {
        var options = errors.Select(error => (Option: OptionOf(error.SymbolResult), error.Message));
        var sentences = options.Select(error => error.Option switch
        {
            { } option when IsEmpty(option) => $"{option.Option.Name} must not be empty.",
            { } option when error.Message.Contains("System.", StringComparison.Ordinal) => $"{option.Option.Name} "
                + $"'{string.Join(' ', option.Tokens.Select(t => t.Value))}' must be {Kind(option.Option.ValueType)}.",
            _ => error.Message.ReplaceLineEndings(" "),
        });
        return string.Join(' ', sentences.Distinct());
    }

    /// <summary>Refuses options that mean nothing in what was asked for: what is given must not silently do nothing.</summary>
    /// <param name="without">What they belong to, e.g. <c>--guidance w</c>.</param>
    public static void RefuseIdle(ParseResult parsed, IEnumerable<Option> options, string without)
    {
        if (options.FirstOrDefault(option => parsed.IsGiven(option)) is { } idle)
            throw new InvalidInputException($"{idle.Name} does nothing without {without}.");
    }

    private static bool IsEmpty(OptionResult result) => result.Tokens.Any(t => string.IsNullOrWhiteSpace(t.Value));
    private static OptionResult? OptionOf(SymbolResult? result) => result as OptionResult ?? result?.Parent as OptionResult;

    private static string Kind(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) == typeof(bool) ? "true or false" : "something else";
}
