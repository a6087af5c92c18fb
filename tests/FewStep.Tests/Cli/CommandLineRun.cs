using System.Text.Json;
using FewStep.Cli.Verbs;

namespace FewStep.Tests.Cli;

/// <summary>What one command line gave.</summary>
internal sealed record CommandLineRun(int Code, string Output, string Messages)
{
    public static Task<CommandLineRun> Of(params string[] arguments) => Until(CancellationToken.None, arguments);

    /// <summary>Runs a command line that is interrupted as by Ctrl-C.</summary>
    public static async Task<CommandLineRun> Until(CancellationToken interrupted, params string[] arguments)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var messages = new StringWriter(CultureInfo.InvariantCulture);
        int code = await CommandLine.Run(arguments, output, messages, interrupted);
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

    /// <summary>Runs a command line that is interrupted once a file is there.</summary>
    public static async Task<CommandLineRun> UntilThereIs(string file, params string[] arguments)
    {
        using var interruption = new CancellationTokenSource();
        using var over = new CancellationTokenSource();
        var watch = Task.Run(async () =>
        {
            while (!File.Exists(file) && !over.IsCancellationRequested)
                await Task.Delay(1);
            await interruption.CancelAsync();
        });
        var run = await Until(interruption.Token, arguments);
        await over.CancelAsync();
        await watch;
        return run;
    }

    /// <summary>Runs a command line that must be refused with one line, and progress at most before it.</summary>
    public static async Task Refused(string fragment, params string[] arguments)
    {
        var run = await Of(arguments);
        Assert.Equal((2, ""), (run.Code, run.Output));
        string[] lines = run.Messages.TrimEnd('\r', '\n').Split('\n', StringSplitOptions.TrimEntries);
        Assert.StartsWith("fewstep: ", lines[^1], StringComparison.Ordinal);
        Assert.Contains(fragment, lines[^1], StringComparison.Ordinal);
        Assert.Single(lines, line => line.StartsWith("fewstep: ", StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", run.Messages, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", lines[^1], StringComparison.Ordinal);
    }
}
