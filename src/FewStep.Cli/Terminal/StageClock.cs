using System.Diagnostics;

namespace FewStep.Cli.Terminal;

/// <summary>The times of one stage of work: how fast it is, and how long it still takes.</summary>
internal sealed class StageClock(long started)
{
    // The rate is that of the last part of a stage: the first units of many stages take longer than the others.
    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(20);
    private readonly Queue<(long Time, long Done)> _recent = new();
    private bool _hasBegun;

    public double Seconds(long now) => Stopwatch.GetElapsedTime(started, now).TotalSeconds;

    public void Add(long now, long done)
    {
        // What comes before the first unit (a teacher's paths, say) does not come again with each.
        if (!_hasBegun && _recent.TryPeek(out var first) && done > first.Done)
        {
            _recent.Clear();
            _hasBegun = true;
        }

        if (_recent.Count == 0 || Stopwatch.GetElapsedTime(_recent.Last().Time, now).TotalSeconds >= 1)
            _recent.Enqueue((now, done));
        while (_recent.Count > 2 && Stopwatch.GetElapsedTime(_recent.Peek().Time, now) > RateWindow)
            _recent.Dequeue();
    }

    /// <summary>Units a second; 0 while that is unknown.</summary>
    public double Rate(WorkProgress value, long now)
    {
        if (!_recent.TryPeek(out var first))
            return 0;
        double seconds = Stopwatch.GetElapsedTime(first.Time, now).TotalSeconds;
        return seconds > 0 ? Math.Max(value.Done - first.Done, 0) / seconds : 0;
    }

    /// <summary>How far the stage is, its time left, its rate, and its figure of interest.</summary>
    public string Describe(WorkProgress value, long now)
    {
        if (value is { Total: 0, Unit: "" })
            return value.Stage;
        double rate = Rate(value, now);
        string share = value.Total > 0
            ? InvariantText.Of($"{value.Done:N0} of {value.Total:N0} {value.Unit} ({100.0 * value.Done / value.Total:F0} %)")
            : InvariantText.Of($"{value.Done:N0} {value.Unit}");
        string left = rate > 0 && value.Total > value.Done ? $", {Duration((value.Total - value.Done) / rate)} left" : "";
        string speed = rate > 0 ? InvariantText.Of($", {rate:G3} {value.Unit}/s") : "";
        string detail = value.Detail is null ? "" : $", {value.Detail}";
        return $"{value.Stage}: {share}{left}{speed}{detail}";
    }

    /// <summary>A time in the two units that matter.</summary>
    public static string Duration(double seconds)
    {
        var time = TimeSpan.FromSeconds(Math.Min(seconds, 1e8));
        return time.TotalHours >= 1 ? InvariantText.Of($"{(int)time.TotalHours} h {time.Minutes} min")
            : time.TotalMinutes >= 1 ? InvariantText.Of($"{time.Minutes} min {time.Seconds} s") : InvariantText.Of($"{time.Seconds} s");
    }
}
