using System.Collections.Concurrent;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FewStep.Cli.Terminal;

/// <summary>The rows of progress on a terminal: how far the whole is, where it has parts, and below it the stage that is being done.
/// Removed on disposal, so that something else can be written.</summary>
internal sealed class LiveProgress : IDisposable
{
    private const int BarWidth = 20, LeastWidthWithBar = 60;
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _shown;
    private ProgressContext? _context;
    private readonly TextColumn _text;
    private ProgressTask? _whole, _stage;

    public LiveProgress(IAnsiConsole console)
    {
        using var started = new ManualResetEventSlim();
        bool hasBar = console.Profile.Width >= LeastWidthWithBar;
        _text = new TextColumn(hasBar ? BarWidth + 2 : 1);
        _shown = console.Progress().AutoClear(true).AutoRefresh(true).HideCompleted(false)
            .Columns(hasBar ? [new ProgressBarColumn { Width = BarWidth }, _text] : [_text])
            .StartAsync(context =>
            {
                _context = context;
                started.Set();
                return _done.Task;
            });
        started.Wait();
    }

    /// <summary>Shows how far it is.</summary>
    /// <param name="stage">The stage in words.</param>
    public void Show(WorkProgress value, string stage)
    {
        double share = value.Total > 0 ? Math.Min((double)value.Done / value.Total, 1) : 0;
        if (value.Phase is { } phase)
            Set(ref _whole, InvariantText.Of($"{phase.Number} of {phase.Count}: {phase.Name}"), (phase.Number - 1 + share) / phase.Count);
        Set(ref _stage, stage, share);
    }

    public void Dispose()
    {
        _done.SetResult();
        _shown.GetAwaiter().GetResult();
    }

    private void Set(ref ProgressTask? row, string text, double share)
    {
        row ??= _context!.AddTask("work", maxValue: 1);
        _text.Rows[row.Id] = text;
        row.Value = share;
    }

    // One line a row: what does not fit is left out.
    private sealed class TextColumn(int beside) : ProgressColumn
    {
        public ConcurrentDictionary<int, string> Rows { get; } = [];

        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime)
        {
            string text = Rows.GetValueOrDefault(task.Id, "");
            int most = Math.Max(options.ConsoleSize.Width - beside - 1, 1);
            return new Spectre.Console.Text(text.Length <= most ? text : text[..most]);
        }
    }
}
