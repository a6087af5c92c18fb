using System.Diagnostics;
using Spectre.Console;

namespace FewStep.Cli.Terminal;

/// <summary>Shows on standard error how far work has come: live rows on a terminal, a new line now and then elsewhere.</summary>
/// <param name="terminal">A terminal that rows can be drawn on; null (default) where standard error is none.</param>
internal sealed class ProgressDisplay(MessageWriter messages, IAnsiConsole? terminal = null) : IProgress<WorkProgress>
{
    // What takes long says so soon: how much there is to do, and how long that takes.
    private static readonly TimeSpan FirstLine = TimeSpan.FromSeconds(3), FurtherLines = TimeSpan.FromSeconds(15);
    private readonly Lock _lock = new();
    private readonly IAnsiConsole? _terminal = terminal ?? messages.Terminal();
    private LiveProgress? _rows;
    private WorkProgress? _last;
    private StageClock _clock = new(0);
    private TimeSpan _wait;
    private long _shown;

    public Verbosity Verbosity { get; set; } = Verbosity.Usual;

    public void Report(WorkProgress value)
    {
        if (Verbosity == Verbosity.Quiet)
            return;
        lock (_lock)
        {
            long now = Stopwatch.GetTimestamp();
            if (value.Stage != _last?.Stage || value.Phase != _last.Phase)
                Begin(value, now);
            _last = value;
            _clock.Add(now, value.Done);
            if (_terminal is not null)
            {
                (_rows ??= new LiveProgress(_terminal)).Show(value, _clock.Describe(value, now));
            }
            else if (Stopwatch.GetElapsedTime(_shown, now) >= (_clock.Rate(value, now) > 0 ? _wait : FurtherLines))
            {
                messages.WriteLine($"{Part(value)}{_clock.Describe(value, now)}");
                (_shown, _wait) = (now, FurtherLines);
            }
        }
    }

    /// <summary>Ends the stage and removes its rows, so that something else can be written.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            Hide();
            Finish(Stopwatch.GetTimestamp());
            _last = null;
        }
    }

    private void Begin(WorkProgress value, long now)
    {
        Finish(now);
        if (_terminal is null && value.Phase is { } phase && phase != _last?.Phase)
            messages.WriteLine(InvariantText.Of($"{phase.Number} of {phase.Count}: {phase.Name}"));
        (_clock, _shown, _wait) = (new StageClock(now), now, FirstLine);
    }

    private void Finish(long now)
    {
        if (Verbosity != Verbosity.Verbose || _last is not { Unit.Length: > 0 } done)
            return;
        Hide();
        messages.WriteLine(
            InvariantText.Of($"{Part(done)}{done.Stage}: {done.Done:N0} {done.Unit}, {StageClock.Duration(_clock.Seconds(now))}"));
    }

    private void Hide()
    {
        _rows?.Dispose();
        _rows = null;
    }

    private static string Part(WorkProgress value) =>
        value.Phase is { } phase ? InvariantText.Of($"[{phase.Number}/{phase.Count}] ") : "";
}
