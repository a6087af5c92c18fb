using System.Diagnostics;

namespace FewStep.Cli.Terminal;

/// <summary>Stage, rate and time left on standard error: one line in place on a terminal, never longer than the terminal is wide, and a
/// new one now and then elsewhere.</summary>
internal sealed class ProgressLine(MessageWriter messages, Func<int>? width = null) : IProgress<WorkProgress>
{
    private const int UsualWidth = 80;
    private static readonly TimeSpan TerminalInterval = TimeSpan.FromSeconds(0.2);
    private static readonly TimeSpan FileInterval = TimeSpan.FromSeconds(15);

    // The rate is that of the last part of a stage: the first units of many stages take longer than the others.
    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(20);
    private readonly Lock _lock = new();
    private readonly bool _rewrites = width is not null || messages.IsTerminal;
    private readonly Queue<(long Time, long Done)> _recent = new();
    private WorkProgress? _last;
    private long _stageStarted;
    private long _shown;
    private int _length;

    public Verbosity Verbosity { get; set; } = Verbosity.Usual;

    public void Report(WorkProgress value)
    {
        if (Verbosity == Verbosity.Quiet)
            return;
        lock (_lock)
        {
            long now = Stopwatch.GetTimestamp();
            if (value.Stage != _last?.Stage)
            {
                FinishLocked(now);
                (_stageStarted, _shown) = (now, _rewrites ? 0 : now);
                _recent.Clear();
            }

            _last = value;
            if (_recent.Count == 0 || Stopwatch.GetElapsedTime(_recent.Last().Time, now).TotalSeconds >= 1)
                _recent.Enqueue((now, value.Done));
            while (_recent.Count > 2 && Stopwatch.GetElapsedTime(_recent.Peek().Time, now) > RateWindow)
                _recent.Dequeue();
            if (Stopwatch.GetElapsedTime(_shown, now) < (_rewrites ? TerminalInterval : FileInterval))
                return;
            _shown = now;
            string line = Describe(value, now);
            if (_rewrites)
            {
                line = Fit(line);
                messages.Write($"\r{line.PadRight(_length)}");
                _length = line.Length;
            }
            else
            {
                messages.WriteLine(line);
            }
        }
    }

    /// <summary>Removes the line, so that something else can be written.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            FinishLocked(Stopwatch.GetTimestamp());
        }
    }

    private void FinishLocked(long now)
    {
        if (_rewrites && _length > 0)
        {
            messages.Write($"\r{new string(' ', _length)}\r");
            _length = 0;
        }

        if (Verbosity == Verbosity.Verbose && _last is { } done)
        {
            messages.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{done.Stage}: {done.Done:N0} {done.Unit}, {Duration(Stopwatch.GetElapsedTime(_stageStarted, now).TotalSeconds)}"));
        }

        _last = null;
    }

    // A line that reaches the last column goes on in the next one, which is then not erased.
    private string Fit(string line)
    {
        int columns = width?.Invoke() ?? (Console.WindowWidth is > 0 and var known ? known : UsualWidth);
        int most = Math.Max(columns - 1, 1);
        return line.Length <= most ? line : line[..most];
    }

    private string Describe(WorkProgress value, long now)
    {
        var (time, done) = _recent.Peek();
        double seconds = Stopwatch.GetElapsedTime(time, now).TotalSeconds;
        double rate = seconds > 0 ? (value.Done - done) / seconds : 0;
        string share = value.Total > 0 ? string.Create(CultureInfo.InvariantCulture, $"{value.Done:N0} of {value.Total:N0} {value.Unit} "
            + $"({100.0 * value.Done / value.Total:F0} %)") : string.Create(CultureInfo.InvariantCulture, $"{value.Done:N0} {value.Unit}");
        string left = rate > 0 && value.Total > value.Done ? $", {Duration((value.Total - value.Done) / rate)} left" : "";
        string speed = rate > 0 ? string.Create(CultureInfo.InvariantCulture, $", {rate:G3} {value.Unit}/s") : "";
        string detail = value.Detail is null ? "" : $", {value.Detail}";
        return $"{value.Stage}: {share}{left}{speed}{detail}";
    }

    private static string Duration(double seconds)
    {
        var time = TimeSpan.FromSeconds(Math.Min(seconds, 1e8));
        return time.TotalHours >= 1 ? $"{(int)time.TotalHours} h {time.Minutes} min"
            : time.TotalMinutes >= 1 ? $"{time.Minutes} min {time.Seconds} s" : $"{time.Seconds} s";
    }
}
