using System.Threading.Channels;

namespace FewStep.Studio;

/// <summary>Long work that the page started: one piece at a time, in a folder of its own, told to every page that listens.</summary>
internal sealed class Jobs(string folder) : IAsyncDisposable
{
    private const int MostListeners = 8, Kept = 20;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.2);

    private readonly Lock _lock = new();
    private readonly List<JobAnswer> _jobs = [];
    private readonly List<Channel<JobAnswer>> _listeners = [];
    private CancellationTokenSource? _running;
    private Task _work = Task.CompletedTask;

    /// <summary>The last jobs, the newest last.</summary>
    public IReadOnlyList<JobAnswer> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _jobs];
            }
        }
    }

    /// <summary>Starts a job.</summary>
    /// <param name="kind">What it is in a word, which its folder is named by.</param>
    /// <param name="title">What it is in words.</param>
    /// <param name="work">Does it in a folder, and says what it left there.</param>
    /// <param name="over">Called when it is over, however it ended.</param>
    /// <exception cref="InvalidInputException">Another one is running.</exception>
    public JobAnswer Start(
        string kind, string title, Func<string, IProgress<WorkProgress>, CancellationToken, IReadOnlyList<JobResult>> work, Action over)
    {
        lock (_lock)
        {
            if (_running is not null)
            {
                throw new InvalidInputException($"One job runs at a time, and \"{_jobs[^1].Title}\" is running: wait until it is over, or "
                    + "cancel it.");
            }

            string place = NewFolder(kind);
            var job = new JobAnswer { Id = _jobs.Count == 0 ? 1 : _jobs[^1].Id + 1, Kind = kind, Title = title, Folder = place };
            if (_jobs.Count == Kept)
                _jobs.RemoveAt(0);
            _jobs.Add(job);
            _running = new CancellationTokenSource();
            var cancellation = _running.Token;
            _work = Task.Run(() => Run(work, over, place, cancellation), CancellationToken.None);
            Tell(job);
            return job;
        }
    }

    /// <summary>Has the job stop at its next step; one that is over already stays as it is.</summary>
    public void Cancel(int id)
    {
        lock (_lock)
        {
            if (_running is not null && _jobs[^1].Id == id)
                _running.Cancel();
        }
    }

    /// <summary>The newest job now, and whatever becomes of it, until whoever listens has left.</summary>
    /// <exception cref="InvalidInputException">Too many listen.</exception>
    public async IAsyncEnumerable<JobAnswer> Listen([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken left)
    {
        // Who is slow misses what is out of date anyway.
        var channel = Channel.CreateBounded<JobAnswer>(new BoundedChannelOptions(4) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_lock)
        {
            if (_listeners.Count >= MostListeners)
                throw new InvalidInputException("Too many pages of this studio are open; close some.");
            _listeners.Add(channel);
            if (_jobs.Count > 0)
                channel.Writer.TryWrite(_jobs[^1]);
        }

        try
        {
            await foreach (var job in channel.Reader.ReadAllAsync(left))
                yield return job;
        }
        finally
        {
            lock (_lock)
            {
                _listeners.Remove(channel);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _running?.Cancel();
        }

        await _work;
    }

    private void Run(Func<string, IProgress<WorkProgress>, CancellationToken, IReadOnlyList<JobResult>> work, Action over, string place,
        CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        Func<JobAnswer, JobAnswer> end;
        try
        {
            var results = work(place, new Telling(this), cancellation);
            end = job => job with { State = JobState.Done, Results = results };
        }
        catch (OperationCanceledException)
        {
            end = job => job with { State = JobState.Cancelled };
        }
#pragma warning disable CA1031 // whatever it is, the page is told in one line
        catch (Exception e)
#pragma warning restore CA1031
        {
            end = job => job with { State = JobState.Failed, Error = Failure.Text(e) };
        }

        over();
        lock (_lock)
        {
            _running!.Dispose();
            _running = null;
            Change(job => end(job) with { Seconds = watch.Elapsed.TotalSeconds });
        }
    }

    // The lock is held.
    private void Change(Func<JobAnswer, JobAnswer> change)
    {
        _jobs[^1] = change(_jobs[^1]);
        Tell(_jobs[^1]);
    }

    private void Tell(JobAnswer job) => _listeners.ForEach(l => l.Writer.TryWrite(job));

    private string NewFolder(string kind)
    {
        for (int i = 1; ; i++)
        {
            string place = Path.Combine(folder, InvariantText.Of($"{kind}-{i}"));
            if (!Path.Exists(place) && !_jobs.Exists(j => j.Folder == place))
                return place;
        }
    }

    private sealed class Telling(Jobs jobs) : IProgress<WorkProgress>
    {
        private long _told;

        public void Report(WorkProgress value)
        {
            lock (jobs._lock)
            {
                bool isNew = value.Stage != jobs._jobs[^1].Progress?.Stage;
                if (!isNew && Stopwatch.GetElapsedTime(_told) < Interval)
                    return;
                _told = Stopwatch.GetTimestamp();
                jobs.Change(job => job with { Progress = value });
            }
        }
    }
}

/// <summary>A job, as the page shows it.</summary>
internal sealed record JobAnswer
{
    public required int Id { get; init; }
    public required string Kind { get; init; }
    public required string Title { get; init; }
    public required string Folder { get; init; }
    public JobState State { get; init; }
    public WorkProgress? Progress { get; init; }
    public string? Error { get; init; }
    public double? Seconds { get; init; }

    /// <summary>What it left; empty until it is done.</summary>
    public IReadOnlyList<JobResult> Results { get; init; } = [];
}

/// <summary>How far a job is.</summary>
internal enum JobState
{
    Running,
    Done,
    Cancelled,
    Failed,
}

/// <summary>What a job left.</summary>
/// <param name="About">What it is, in a line.</param>
/// <param name="Sampler">File of a sampler; null where it has none of its own.</param>
/// <param name="Model">Folder of a model; null for the model that the job began with.</param>
internal sealed record JobResult(string About, string? Sampler = null, string? Model = null);
