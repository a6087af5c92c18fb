using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace FewStep.Cli.Verbs;

/// <summary>The program: its verbs, and what becomes of failures.</summary>
internal static class CommandLine
{
    private const string QuietName = "--quiet", VerboseName = "--verbose";

    /// <summary>All verbs with their options.</summary>
    public static RootCommand Root(TerminalOutput terminal)
    {
        var root = new RootCommand("Makes a pre-trained diffusion model sample well in 1 to 10 network evaluations.")
        {
            ScheduleVerb.Create(terminal),
            FitVerb.Create(terminal),
            TuneVerb.Create(terminal),
            RunVerb.Create(terminal),
            SampleVerb.Create(terminal),
            MergeVerb.Create(),
            ClusterVerb.Create(terminal),
            EvaluateVerb.Create(terminal),
            CompareVerb.Create(terminal),
            StudioVerb.Create(terminal),
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
        root.Everywhere(QuietName, "Say nothing on standard error but failures.");
        root.Everywhere(VerboseName, "Say how long each stage took.");
        ShortNames.AddTo(root);
        Completions.AddTo(root);
        OptionValues.RefuseEmpty(root);
        return root;
    }

    public static async Task<int> Run(
        string[] arguments, TextWriter standardOutput, TextWriter standardError, CancellationToken cancellation = default)
    {
        var (output, messages) = (new ResultWriter(standardOutput), new MessageWriter(standardError));
        var terminal = new TerminalOutput(output, messages);
        var root = Root(terminal);
        var parsed = root.Parse(arguments);
        bool isBare = parsed.CommandResult.Command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count == 0
            && parsed.Action is null or ParseErrorAction;
        if (parsed.Errors.Count > 0 && !isBare && parsed.Action is not HelpAction)
        {
            messages.WriteLine($"fewstep: {Printable.Message(OptionValues.Describe(parsed))} See --help.");
            return ExitCode.BadInput;
        }

        terminal.Say(parsed.GetValue<bool>(QuietName) ? Verbosity.Quiet
            : parsed.GetValue<bool>(VerboseName) ? Verbosity.Verbose : Verbosity.Usual);
        try
        {
            if (parsed.Action is HelpAction || isBare)
            {
                HelpText.Write(parsed, output);
                return ExitCode.Success;
            }

            parsed = MergeVerb.Meant(root, parsed, QuietName, VerboseName);
            OutputPlaces.Check(parsed);
            using var interruption = new Interruption(terminal.Always, cancellation);
            if (ShardFlags.Local(parsed, terminal.Progress) is { } local)
                parsed = root.Parse(local.Run(interruption.Token));
            using var held = OutputPlaces.Hold(parsed);
            // The library's own signal handling fails with a stack trace on a second signal.
            var invocation = new InvocationConfiguration
            { EnableDefaultExceptionHandler = false, Output = output, Error = messages, ProcessTerminationTimeout = null };
            return await parsed.InvokeAsync(invocation, interruption.Token);
        }
#pragma warning disable CA1031 // the last resort: whatever it is, people get one line and no stack trace
        catch (Exception e)
#pragma warning restore CA1031
        {
            terminal.Clear();
            return Failures.Report(e, messages);
        }
        finally
        {
            terminal.Clear();
        }
    }
}
