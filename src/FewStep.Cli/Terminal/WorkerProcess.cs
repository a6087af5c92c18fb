using System.Diagnostics;

namespace FewStep.Cli.Terminal;

/// <summary>What a process does that another one of this program has started to do a share of its work: it ends with that one, whose end
/// closes its standard input, and tells it by lines on standard output how far it is.</summary>
internal sealed class WorkerProcess : IProgress<WorkProgress>
{
    /// <summary>The environment variable that makes a process one.</summary>
    public const string Variable = "FEWSTEP_WORKER";

    private const char Mark = '\u0001', Separator = '\t';
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(200);
    private readonly TextWriter _output;
    private long _last;

    private WorkerProcess(TextWriter output) => _output = output;

    /// <summary>Begins to watch the process that started this one; null where none did.</summary>
    public static WorkerProcess? Begin(TextWriter output)
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 })
            return null;
        new Thread(EndWithStarter) { IsBackground = true }.Start();
        return new WorkerProcess(output);
    }

    /// <summary>What a line of a worker tells; null where it is another line.</summary>
    public static WorkProgress? Read(string? line) =>
        line is [Mark, ..] && line[1..].Split(Separator) is [var stage, var done, var total, var unit]
            && long.TryParse(done, NumberStyles.None, CultureInfo.InvariantCulture, out long first)
            && long.TryParse(total, NumberStyles.None, CultureInfo.InvariantCulture, out long second)
            ? new WorkProgress(stage, first, second, unit) : null;

    public void Report(WorkProgress value)
    {
        long now = Stopwatch.GetTimestamp();
        if (Stopwatch.GetElapsedTime(_last, now) < Between && value.Done < value.Total)
            return;
        _last = now;
        _output.WriteLine(InvariantText.Of($"{Mark}{value.Stage}{Separator}{value.Done}{Separator}{value.Total}{Separator}{value.Unit}"));
        _output.Flush();
    }

    // Files are written whole or not at all, so it may end at any moment.
    private static void EndWithStarter()
    {
        using var input = Console.OpenStandardInput();
        while (input.ReadByte() >= 0)
        {
            // Nothing is said on it.
        }

        Process.GetCurrentProcess().Kill();
    }
}
