using System.Globalization;
using System.Text.Json;
using FewStep.Cli.Verbs;

namespace FewStep.Tests.Cli;

/// <summary>What one command line gave.</summary>
internal sealed record CommandLineRun(int Code, string Output, string Messages)
{
    public static async Task<CommandLineRun> Of(params string[] arguments)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var messages = new StringWriter(CultureInfo.InvariantCulture);
        int code = await CommandLine.Run(arguments, output, messages);
        return new CommandLineRun(code, output.ToString(), messages.ToString());
    }

    /// <summary>The one JSON object on the output; fails where there is anything else.</summary>
    public static async Task<JsonElement> Json(params string[] arguments)
    {
        var run = await Of([.. arguments, "--json"]);
        Assert.True(run.Code == 0, run.Messages);
        using var document = JsonDocument.Parse(run.Output);
        Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
        return document.RootElement.Clone();
    }

    /// <summary>Runs a command line that must be refused with one line and nothing else.</summary>
    public static async Task Refused(string fragment, params string[] arguments)
    {
        var run = await Of(arguments);
        string line = run.Messages.TrimEnd('\r', '\n');
        Assert.Equal(2, run.Code);
        Assert.Equal("", run.Output);
        Assert.StartsWith("fewstep: ", line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
        Assert.Contains(fragment, line, StringComparison.Ordinal);
    }
}
