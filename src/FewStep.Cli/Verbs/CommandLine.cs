using System.CommandLine.Help;

namespace FewStep.Cli.Verbs;

/// <summary>The program: its verbs, and what becomes of failures.</summary>
internal static class CommandLine
{
    public static async Task<int> Run(string[] arguments, TextWriter output, TextWriter messages, CancellationToken cancellation = default)
    {
        var terminal = new TerminalOutput(output, messages);
        var root = Root(terminal);
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            messages.WriteLine($"fewstep: {OptionValues.Describe(parsed.Errors)} See --help.");
            return ExitCode.BadInput;
        }

        if (parsed.Action is HelpAction help)
        {
            HelpText.Write(help, parsed, output);
            return ExitCode.Success;
        }

        try
        {
            OutputPlaces.Check(parsed);
            // The library's own signal handling fails with a stack trace on a second signal.
            var invocation = new InvocationConfiguration
            { EnableDefaultExceptionHandler = false, Output = output, Error = messages, ProcessTerminationTimeout = null };
            using var interruption = new Interruption(messages, cancellation);
            return await parsed.InvokeAsync(invocation, interruption.Token);
        }
#pragma warning disable CA1031 // the last resort: whatever it is, people get one line and no stack trace
        catch (Exception e)
#pragma warning restore CA1031
        {
            terminal.Clear();
            return Failures.Report(e, messages);
        }
    }

    /// <summary>All verbs with their options.</summary>
    internal static RootCommand Root(TerminalOutput terminal)
    {
        var root = new RootCommand("Makes a pre-trained diffusion model sample well in 3 to 10 network evaluations.")
        {
            ScheduleVerb.Create(terminal),
            FitVerb.Create(terminal),
            TuneVerb.Create(terminal),
            RunVerb.Create(terminal),
            SampleVerb.Create(terminal),
            EvaluateVerb.Create(terminal),
            CompareVerb.Create(terminal),
            ExportVerb.Create(terminal),
            ImportVerb.Create(terminal),
            TrainVerb.Create(terminal),
            TrainClassifierVerb.Create(terminal),
            DataVerb.Create(terminal),
            InspectVerb.Create(terminal),
            ConvertVerb.Create(terminal),
            VerifyVerb.Create(terminal),
        };
        CheckpointFlags.AddTo(root);
        DeviceFlag.AddTo(root);
        OptionValues.RefuseEmpty(root);
        return root;
    }
}
