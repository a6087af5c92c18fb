using System.Text.Json;
using FewStep.Platform;
using Spectre.Console;

namespace FewStep.Cli.Terminal;

/// <summary>What the program says: results on standard output (a table, or one JSON object with <c>--json</c>), everything else on standard error.</summary>
/// <param name="output">Results.</param>
/// <param name="messages">Messages and progress.</param>
internal sealed class TerminalOutput(TextWriter output, TextWriter messages)
{
    private readonly ProgressLine _progress = new(messages);

    /// <summary>Shows how long work comes along.</summary>
    public IProgress<WorkProgress> Progress => _progress;

    /// <summary>Says something to the person, not to the pipe.</summary>
    public void Message(string text)
    {
        Clear();
        messages.WriteLine(text);
    }

    /// <summary>Removes the progress line.</summary>
    public void Clear() => _progress.Clear();

    /// <summary>Ends with a result.</summary>
    /// <typeparam name="T">Type of the result.</typeparam>
    /// <param name="json">Whether the JSON form is wanted.</param>
    /// <param name="result">The result, for JSON.</param>
    /// <param name="show">Writes it for people.</param>
    public void Result<T>(bool json, T result, Action<IAnsiConsole> show)
    {
        Clear();
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(result, JsonFile.Options));
            return;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (ReferenceEquals(output, Console.Out) && Console.IsOutputRedirected)
        {
            console.Profile.Width = 200; // a file or pipe has no width to wrap at
        }

        show(console);
    }
}
