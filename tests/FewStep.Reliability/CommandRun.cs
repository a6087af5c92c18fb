namespace FewStep.Reliability;

/// <summary>A command line in a process of its own.</summary>
internal sealed class CommandRun : IDisposable
{
    /// <summary>What stands before the number of renames on a child's output.</summary>
    public const string RenamesMark = "renames: ";

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    private readonly Process _process;
    private readonly Task<string> _output, _messages;
    private readonly int _ranks;

    /// <param name="rename">The rename before which the process kills itself; 0 for none, and below 0 that before which those kill
    /// themselves that it starts.</param>
    /// <param name="ranks">How many processes a launcher makes of it; 1 for none.</param>
    /// <param name="launcher">The launcher's command; null for Open MPI's.</param>
    public CommandRun(IEnumerable<string> line, int rename = 0, int ranks = 1, string[]? launcher = null)
    {
        _ranks = ranks;
        string[] launched = ranks == 1 ? []
            : [.. launcher ?? Launcher.OpenMpi!, "-n", ranks.ToString(CultureInfo.InvariantCulture)];
        string[] child = [.. launched, .. Program(rename)];
        var start = new ProcessStartInfo(child[0])
        { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = AppContext.BaseDirectory };
        start.Environment["OMP_NUM_THREADS"] = "1";
        foreach (string word in child[1..].Concat(line).Append("--quiet"))
            start.ArgumentList.Add(word);
        _process = Process.Start(start)!;
        (_output, _messages) = (_process.StandardOutput.ReadToEndAsync(), _process.StandardError.ReadToEndAsync());
    }

    /// <summary>What starts a process that kills itself before a rename.</summary>
    public static IReadOnlyList<string> Program(int rename) => [Host, .. Child(rename)];

    public string Messages => _messages.Result.Trim();

    public string Output => _output.Result;

    /// <summary>Renames of a run that came to its end.</summary>
    public int Renames => int.Parse(
        _output.Result[(_output.Result.LastIndexOf(RenamesMark, StringComparison.Ordinal) + RenamesMark.Length)..],
        CultureInfo.InvariantCulture);

    /// <summary>Waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public int Wait()
    {
        if (!_process.WaitForExit(Longest))
        {
            _process.Kill();
            throw new TimeoutException($"A command has not ended after {Longest}.");
        }

        return _process.ExitCode;
    }

    /// <summary>Kills it after some time, unless it is over by then; of several ranks the last.</summary>
    public void KillAfter(TimeSpan time)
    {
        if (!_process.WaitForExit(time))
            Kill();
        _process.WaitForExit();
    }

    /// <summary>Kills it, or one of several ranks.</summary>
    public void Kill()
    {
        int[] ranks = _ranks == 1 ? [] : Ranks();
        using var killed = ranks.Length == 0 ? null : Process.GetProcessById(ranks[^1]);
        (killed ?? _process).Kill();
    }

    /// <summary>The processes of the ranks, which may not all be there yet.</summary>
    private int[] Ranks()
    {
        static int[] Children(int parent) => [.. File.ReadAllText($"/proc/{parent}/task/{parent}/children")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => int.Parse(id, CultureInfo.InvariantCulture))];
        int[] children = Children(_process.Id);
        return children.Length == _ranks ? children : [.. children.SelectMany(Children)]; // MPICH has a process between
    }

    public void Dispose() => _process.Dispose();

    private static string[] Child(int rename) =>
        [typeof(CommandRun).Assembly.Location, "child", rename.ToString(CultureInfo.InvariantCulture)];

    // The program that runs .NET, three folders above the libraries of its version.
    private static string Host => Path.GetFullPath(Path.Combine(
        Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
}
