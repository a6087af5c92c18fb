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
            MatchVerb.Create(terminal),
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
        var launch = LaunchedRanks.Of(parsed);
        bool isFirst = launch is null or { Rank: 0 };
        bool isBare = parsed.CommandResult.Command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count == 0
            && parsed.Action is null or ParseErrorAction;
        if (!isFirst)
            messages.IsSilent = true;
        if (parsed.Errors.Count > 0 && !isBare && parsed.Action is not HelpAction)
        {
            messages.WriteLine($"fewstep: {Printable.Message(OptionValues.Describe(parsed))} See --help.");
            return ExitCode.BadInput;
        }

        terminal.Say(parsed.GetValue<bool>(QuietName) ? Verbosity.Quiet
            : parsed.GetValue<bool>(VerboseName) ? Verbosity.Verbose : Verbosity.Usual);
        if (!isFirst)
            terminal.Silence();
        LaunchedRanks? ranks = null;
        try
        {
            if (parsed.Action is HelpAction || isBare)
            {
                if (isFirst)
                    HelpText.Write(parsed, output);
                return ExitCode.Success;
            }

            ranks = launch is null ? null : LaunchedRanks.Join(launch, line => Say($"fewstep: {line}"));
            parsed = MergeVerb.Meant(root, parsed, QuietName, VerboseName);
            if (isFirst)
                OutputPlaces.Check(parsed);
            using var interruption = new Interruption(terminal.Always, cancellation);
            if (ShardFlags.Local(parsed, terminal.Progress) is { } local)
                parsed = root.Parse(local.Run(interruption.Token));
            using var held = isFirst ? OutputPlaces.Hold(parsed) : null;
            // The library's own signal handling fails with a stack trace on a second signal.
            var invocation = new InvocationConfiguration
            { EnableDefaultExceptionHandler = false, Output = output, Error = messages, ProcessTerminationTimeout = null };
            int code = await parsed.InvokeAsync(invocation, interruption.Token);
            if (ranks is not null)
                terminal.Detail(ranks.Leave());
            return code;
        }
#pragma warning disable CA1031 // the last resort: whatever it is, people get one line and no stack trace
        catch (Exception e)
#pragma warning restore CA1031
        {
            terminal.Clear();
            messages.IsSilent &= ranks is not null; // a rank that could not join the others is alone with it
            int code = Failures.Report(e, messages);
            ranks?.Fail(Failures.Line(e));
            return code;
        }
        finally
        {
            terminal.Clear();
            ranks?.Dispose();
        }

        // On another thread, which may have come upon the end of a silent rank.
        void Say(string line)
        {
            messages.IsSilent = false;
            terminal.Always(line);
        }
    }
}
