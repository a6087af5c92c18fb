using System.Diagnostics;

namespace FewStep.Cli.Terminal;

/// <summary>Stage, rate and time left on standard error: one line in place on a terminal, a new one now and then elsewhere.</summary>
internal sealed class ProgressLine(MessageWriter messages) : IProgress<WorkProgress>
{
    private static readonly TimeSpan TerminalInterval = TimeSpan.FromSeconds(0.2);
    private static readonly TimeSpan FileInterval = TimeSpan.FromSeconds(15);
    private readonly Lock _lock = new();
    private readonly bool _rewrites = messages.IsTerminal;
    private string _stage = "";
    private long _firstDone;
    private long _stageStarted;
    private long _shown;
    private int _width;

    public void Report(WorkProgress value)
    {
        lock (_lock)
        {
            long now = Stopwatch.GetTimestamp();
            if (value.Stage != _stage)
            {
                EraseLocked();
                (_stage, _firstDone, _stageStarted, _shown) = (value.Stage, value.Done, now, _rewrites ? 0 : now);
            }

            if (Stopwatch.GetElapsedTime(_shown, now) < (_rewrites ? TerminalInterval : FileInterval))
                return;
            _shown = now;
            string line = Describe(value, Stopwatch.GetElapsedTime(_stageStarted, now).TotalSeconds);
            if (_rewrites)
            {
                messages.Write($"\r{line.PadRight(_width)}");
                _width = line.Length;
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
            EraseLocked();
        }
    }

    private void EraseLocked()
    {
        if (_rewrites && _width > 0)
        {
            messages.Write($"\r{new string(' ', _width)}\r");
            _width = 0;
        }
    }

    private string Describe(WorkProgress value, double seconds)
    {
        double rate = seconds > 0 ? (value.Done - _firstDone) / seconds : 0;
        string share = value.Total > 0 ? string.Create(CultureInfo.InvariantCulture, $"{value.Done:N0} of {value.Total:N0} {value.Unit} "
            + $"({100.0 * value.Done / value.Total:F0} %)") : string.Create(CultureInfo.InvariantCulture, $"{value.Done:N0} {value.Unit}");
        string speed = rate > 0 ? string.Create(CultureInfo.InvariantCulture, $", {rate:G3} {value.Unit}/s") : "";
        string left = rate > 0 && value.Total > value.Done ? $", {Duration((value.Total - value.Done) / rate)} left" : "";
        string detail = value.Detail is null ? "" : $", {value.Detail}";
        return $"{value.Stage}: {share}{speed}{left}{detail}";
    }

    private static string Duration(double seconds)
    {
        var time = TimeSpan.FromSeconds(Math.Min(seconds, 1e8));
        return time.TotalHours >= 1 ? $"{(int)time.TotalHours} h {time.Minutes} min"
            : time.TotalMinutes >= 1 ? $"{time.Minutes} min {time.Seconds} s" : $"{time.Seconds} s";
    }
}
