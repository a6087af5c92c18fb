using System.CommandLine;
using FewStep.Cli.Terminal;
using FewStep.Runtime;

namespace FewStep.Cli.Verbs;

/// <summary>The program: its verbs, and what becomes of failures.</summary>
internal static class CommandLine
{
    private const int Success = 0;
    private const int BadInput = 2;
    private const int Interrupted = 130; // what a shell reports of a program ended by Ctrl-C

    /// <summary>Runs one command line.</summary>
    /// <param name="arguments">Words after the program's name.</param>
    /// <param name="output">Results go here, and nothing else.</param>
    /// <param name="messages">Progress and messages go here.</param>
    /// <returns>0, 2 for bad input, 130 when interrupted, or what the verb returns.</returns>
    public static async Task<int> Run(string[] arguments, TextWriter output, TextWriter messages)
    {
        var terminal = new TerminalOutput(output, messages);
        var root = new RootCommand("Makes a pre-trained diffusion model sample well in 3 to 10 network evaluations.")
        {
            ScheduleVerb.Create(terminal),
            TuneVerb.Create(terminal),
            RunVerb.Create(terminal),
            SampleVerb.Create(terminal),
            EvaluateVerb.Create(terminal),
            CompareVerb.Create(terminal),
            TrainVerb.Create(terminal),
            TrainClassifierVerb.Create(terminal),
            DataVerb.Create(terminal),
        };
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            messages.WriteLine($"fewstep: {string.Join(" ", parsed.Errors.Select(e => e.Message.ReplaceLineEndings(" ")))} See --help.");
            return BadInput;
        }

        try
        {
            // The library's own signal handling fails with a stack trace on a second signal.
            var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, Output = output, Error = messages, ProcessTerminationTimeout = null };
            using var interruption = new Interruption(messages);
            return await parsed.InvokeAsync(invocation, interruption.Token);
        }
        catch (InvalidInputException e)
        {
            terminal.Clear();
            messages.WriteLine($"fewstep: {OneLine(e)}");
            return BadInput;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What writes through a library (event files) fails with the system's own exceptions.
            terminal.Clear();
            messages.WriteLine($"fewstep: {OneLine(e)} Free some space, or choose another folder.");
            return BadInput;
        }
        catch (OperationCanceledException)
        {
            terminal.Clear();
            messages.WriteLine("fewstep: interrupted.");
            return Interrupted;
        }
    }

    // Names from files may hold control characters, which could move a terminal's cursor.
    private static string OneLine(Exception e) => string.Concat(e.Message.ReplaceLineEndings(" ").Select(c => char.IsControl(c) ? '?' : c));
}
