using FewStep.Collectives;

namespace FewStep.Cli.Terminal;

/// <summary>The ranks that a training was started as by an MPI launcher: one command line, several processes. The first speaks and writes,
/// the others are silent.</summary>
internal sealed class LaunchedRanks : IDisposable
{
    private static readonly string[] Verbs = ["train", "train-classifier", "tune"];
    private readonly MpiCollective _ranks;
    private readonly RankWatch _watch;

    private LaunchedRanks(MpiCollective ranks, RankWatch watch) => (_ranks, _watch) = (ranks, watch);

    /// <summary>Who trains together; this process alone where it was not started as one of several.</summary>
    public static ICollective Current { get; private set; } = SingleProcess.Instance;

    /// <summary>How a command line was started as one of several; null where it was not, or where it is no training.</summary>
    public static Launch? Of(ParseResult parsed) =>
        Verbs.Contains(parsed.CommandResult.Command.Name) ? Launch.Of(Environment.GetEnvironmentVariable) : null;

    /// <summary>Joins the other ranks, of which each ends when another does.</summary>
    /// <param name="say">Says a line on this rank.</param>
    public static LaunchedRanks Join(Launch launch, Action<string> say)
    {
        var ranks = MpiCollective.Join(launch);
        var watch = RankWatch.Start(ranks, line =>
        {
            if (line is not null)
                say(line);
            RankWatch.EndProcess(ExitCode.BadInput);
        });
        if (ranks.IsFirst() && watch.Unwatched is { Count: > 0 } far)
        {
            say($"Warning: no connection from rank {string.Join(", ", far)}; whether those ranks have ended is seen by the launcher alone, "
                + "which must then be told to end all (srun --kill-on-bad-exit).");
        }

        Current = ranks;
        return new LaunchedRanks(ranks, watch);
    }

    /// <summary>Keeps signs that guide a terminal out of the output of a process that was started as one of several: launchers gather it
    /// through one. To be called before the console is used.</summary>
    public static void UsePlainTerminal()
    {
        if (Launch.Of(Environment.GetEnvironmentVariable) is not null)
            Environment.SetEnvironmentVariable("TERM", "dumb");
    }

    /// <summary>Leaves the ranks at the end of the work, with all of them.</summary>
    /// <returns>What they sent each other, in words.</returns>
    public string Leave()
    {
        double sent = _ranks.Sum((double)_ranks.BytesSent)[0];
        _ranks.Meet();
        _watch.Leave();
        _ranks.Leave();
        return InvariantText.Of($"{_ranks.Ranks} ranks, which sent each other {sent / 1e6:F1} MB.");
    }

    /// <summary>Ends the other ranks too; what went wrong is said by the first.</summary>
    public void Fail(string line) => _watch.Fail(line);

    public void Dispose()
    {
        Current = SingleProcess.Instance;
        _watch.Dispose();
    }
}
