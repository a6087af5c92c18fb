namespace FewStep.Reliability;

/// <summary>A command line in a process of its own.</summary>
internal sealed class CommandRun : IDisposable
{
    /// <summary>What stands before the number of renames on a child's output.</summary>
    public const string RenamesMark = "renames: ";

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    private readonly Process _process;
    private readonly Task<string> _output, _messages;

    /// <param name="rename">The rename before which the process kills itself; 0 for none, and below 0 that before which those kill
    /// themselves that it starts.</param>
    public CommandRun(IEnumerable<string> line, int rename = 0)
    {
        var start = new ProcessStartInfo(Host)
        { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = AppContext.BaseDirectory };
        foreach (string word in Child(rename).Concat(line).Append("--quiet"))
            start.ArgumentList.Add(word);
        _process = Process.Start(start)!;
        (_output, _messages) = (_process.StandardOutput.ReadToEndAsync(), _process.StandardError.ReadToEndAsync());
    }

    /// <summary>What starts a process that kills itself before a rename.</summary>
    public static IReadOnlyList<string> Program(int rename) => [Host, .. Child(rename)];

    public string Messages => _messages.Result.Trim();

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

    /// <summary>Kills it after some time, unless it is over by then.</summary>
    public void KillAfter(TimeSpan time)
    {
        if (!_process.WaitForExit(time))
            _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose() => _process.Dispose();

    private static string[] Child(int rename) =>
        [typeof(CommandRun).Assembly.Location, "child", rename.ToString(CultureInfo.InvariantCulture)];

    // The program that runs .NET, three folders above the libraries of its version.
    private static string Host => Path.GetFullPath(Path.Combine(
        Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
}
