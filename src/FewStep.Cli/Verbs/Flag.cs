using System.CommandLine.Parsing;

namespace FewStep.Cli.Verbs;

/// <summary>Makes options: name, description, default, and the word that help shows for the value.</summary>
internal static class Flag
{
    /// <summary>An option with a default, which help shows.</summary>
    public static Option<T> Of<T>(string name, string description, T leftOut, string? help = null, Func<string, T>? parse = null) =>
        Make(name, description, help, parse, option => option.DefaultValueFactory = _ => leftOut);

    /// <summary>An option that may be left out; it then has the type's default.</summary>
    public static Option<T> Optional<T>(string name, string description, string? help = null, Func<string, T>? parse = null) =>
        Make(name, description, help, parse, _ => { });

    /// <summary>An option that must be given.</summary>
    public static Option<T> Required<T>(string name, string description, string? help = null, Func<string, T>? parse = null) =>
        Make(name, description, help, parse, option => option.Required = true);

    /// <summary>An option that takes one of a few words.</summary>
    public static Option<T> Named<T>(string name, string description, T leftOut, params (string Word, T Value)[] values)
    {
        string help = string.Join('|', values.Select(v => v.Word));
        T Parse(string text) => Array.FindIndex(values, v => v.Word == text) is >= 0 and int found ? values[found].Value
            : throw new InvalidInputException($"{name} '{text}' is none of {string.Join(", ", values.Select(v => v.Word))}.");
        return leftOut is null ? Optional(name, description, help, Parse) : Of(name, description, leftOut, help, Parse);
    }

    /// <summary>Parses a value with a one-line error.</summary>
    public static T? Parse<T>(ArgumentResult result, Func<string, T> parse)
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

    private static Option<T> Make<T>(string name, string description, string? help, Func<string, T>? parse, Action<Option<T>> set)
    {
        var option = new Option<T>(name) { Description = description, HelpName = help };
        if (parse is not null)
            option.CustomParser = result => Parse(result, parse);
        set(option);
        return option;
    }
}
