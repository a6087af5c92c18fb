using System.CommandLine.Help;

namespace FewStep.Cli.Verbs;

/// <summary>The text of <c>--help</c>, with defaults as the options accept them: the library writes an enumeration's own names.</summary>
internal static class HelpText
{
    public static void Write(HelpAction help, ParseResult parsed, TextWriter output)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        parsed.InvocationConfiguration.Output = text;
        help.Invoke(parsed);
        string page = text.ToString();
        foreach (var option in parsed.CommandResult.Command.Options.Where(o => o.ValueType.IsEnum && o.HasDefaultValue))
        {
            string name = option.GetDefaultValue()?.ToString() ?? "";
            page = page.Replace($"[default: {name}]", $"[default: {name.ToLowerInvariant()}]", StringComparison.Ordinal);
        }

        output.Write(page);
    }
}
