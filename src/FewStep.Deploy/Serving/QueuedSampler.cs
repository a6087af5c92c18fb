using Microsoft.Extensions.Logging;

namespace FewStep.Deploy.Serving;

/// <summary>Gathers the images of concurrent requests into evaluations of many, in the order in which they came, and refuses requests
/// when too many images wait.</summary>
/// <remarks>Any number of threads may use it at once. A cancelled request gives its place free at once; an evaluation of which no image is
/// wanted any longer is stopped.</remarks>
public sealed partial class QueuedSampler : IAsyncDisposable, IDisposable
{
    private const double Newest = 0.3; // weight of the last evaluation in the measured speed
    private readonly FewStepSampler _sampler;
    private readonly FewStepOptions _options;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private readonly LinkedList<(QueuedRequest Request, int Index)> _waiting = new();
    private readonly SemaphoreSlim _changed = new(0);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _work;
    private double _secondsAnImage;
    private bool _isClosed, _isDisposed;
    private (IReadOnlyList<(QueuedRequest Request, int Index)> Batch, CancellationTokenSource Stop) _running;

    /// <summary>Creates a queue for a sampler, which stays its caller's.</summary>
    /// <param name="sampler">Makes the images.</param>
    /// <param name="options">Limits; its properties about the sampler itself have no meaning here.</param>
    /// <param name="log">Told of evaluations (debug), refusals and failures.</param>
    public QueuedSampler(FewStepSampler sampler, FewStepOptions options, ILogger<QueuedSampler> log)
    {
        ArgumentNullException.ThrowIfNull(sampler);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        (_sampler, _options, _log) = (sampler, options, log);
        using var _ = ExecutionContext.SuppressFlow(); // the queue is no part of the request that happens to create it
        _work = Task.Run(WorkAsync);
    }

    /// <summary>Images that wait for an evaluation.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
                return _waiting.Count;
        }
    }

    /// <summary>Whether requests are taken: it was neither disposed of nor stopped by an error of its own.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_lock)
                return !_isClosed;
        }
    }

    /// <summary>Makes the images of seeds together with those of others.</summary>
    /// <inheritdoc cref="FewStepSampler.GenerateAsync(IReadOnlyList{long}, IReadOnlyList{long}, CancellationToken)"/>
    /// <exception cref="QueueFullException">There is no room for all of them.</exception>
    public Task<GeneratedImages> GenerateAsync(
        IReadOnlyList<long> seeds, IReadOnlyList<long>? labels = null, CancellationToken cancellation = default)
    {
        FewStepSampler.CheckSeeds(seeds);
        long[]? classes = _sampler.GraphLabels(seeds.Count, labels, i => seeds[i]);
        if (seeds.Count > _options.MaximumQueued)
        {
            throw new ArgumentException(
                $"{seeds.Count} images were asked for at once, and the queue holds {_options.MaximumQueued}; ask for fewer.",
                nameof(seeds));
        }

        if (cancellation.IsCancellationRequested)
            return Task.FromCanceled<GeneratedImages>(cancellation);
        var request = new QueuedRequest([.. seeds], classes, _sampler.Description, cancellation);
        Enter(request);
        return cancellation.CanBeCanceled ? Watched(request, cancellation) : request.Result;
    }

    /// <summary>Refuses what waits, stops the evaluation that goes on, and waits for its end.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _isClosed = _isDisposed = true;
        }

        await _end.CancelAsync().ConfigureAwait(false);
        await _work.ConfigureAwait(false);
        _end.Dispose();
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private async Task<GeneratedImages> Watched(QueuedRequest request, CancellationToken cancellation)
    {
        using var leave = cancellation.Register(() => Leave(request));
        return await request.Result.ConfigureAwait(false);
    }

    private void Enter(QueuedRequest request)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (_waiting.Count + request.Count > _options.MaximumQueued)
            {
                QueuedRequest.CountOutcome("refused");
                var retry = TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling(_waiting.Count * _secondsAnImage)));
                LogRefused(request.Count, _waiting.Count, retry.TotalSeconds);
                throw new QueueFullException(_waiting.Count, retry);
            }

            for (int i = 0; i < request.Count; i++)
                _waiting.AddLast((request, i));
            _changed.Release();
        }

        SamplerTelemetry.QueueLength.Add(request.Count);
    }

    private void Leave(QueuedRequest request)
    {
        request.Cancel();
        RemoveWaiting(request);
        lock (_lock)
        {
            if (_running.Batch is { } batch && batch.All(b => b.Request.IsOver))
                _running.Stop.Cancel();
        }
    }

    private void RemoveWaiting(QueuedRequest request)
    {
        int removed = 0;
        lock (_lock)
        {
            for (var (node, next) = (_waiting.First, _waiting.First?.Next); node is not null; (node, next) = (next, next?.Next))
            {
                if (node.Value.Request == request)
                {
                    _waiting.Remove(node);
                    removed++;
                }
            }
        }

        SamplerTelemetry.QueueLength.Add(-removed);
    }

    private async Task WorkAsync()
    {
        try
        {
            while (true)
            {
                var batch = await NextBatchAsync().ConfigureAwait(false);
                await EvaluateAsync(batch).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            Close(Closed());
        }
        catch (Exception e) // nobody would make the images that wait
        {
            LogStopped(e);
            Close(e);
        }
    }

    private async Task<IReadOnlyList<(QueuedRequest Request, int Index)>> NextBatchAsync()
    {
        while (true)
        {
            TimeSpan wait;
            lock (_lock)
            {
                var batch = ReadyBatch(out wait);
                if (batch.Count > 0)
                    return batch;
            }

            await _changed.WaitAsync(wait, _end.Token).ConfigureAwait(false);
        }
    }

    // Under the lock: the images to evaluate now; none, where there are none or others may come within the time given.
    private List<(QueuedRequest Request, int Index)> ReadyBatch(out TimeSpan wait)
    {
        wait = Timeout.InfiniteTimeSpan;
        if (_waiting.First is not { } oldest)
            return [];
        if (_waiting.Count < _options.MaximumBatch)
        {
            wait = _options.BatchWait - Stopwatch.GetElapsedTime(oldest.Value.Request.Arrived);
            if (wait > TimeSpan.Zero)
                return [];
        }

        var batch = new List<(QueuedRequest Request, int Index)>();
        while (batch.Count < _options.MaximumBatch && _waiting.First is { } node)
        {
            batch.Add(node.Value);
            _waiting.Remove(node);
        }

        return batch;
    }

    private async Task EvaluateAsync(IReadOnlyList<(QueuedRequest Request, int Index)> batch)
    {
        long began = Stopwatch.GetTimestamp();
        SamplerTelemetry.QueueLength.Add(-batch.Count);
        foreach (var (request, _) in batch)
            SamplerTelemetry.QueueWait.Record(Stopwatch.GetElapsedTime(request.Arrived, began).TotalSeconds);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        lock (_lock)
            _running = (batch, stop);
        try
        {
            // The token is not the task's: a cancelling caller must not go on with this method's rest.
            var images = await Task.Run(() => Generate(batch, stop.Token), CancellationToken.None).ConfigureAwait(false);
            double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            MeasureSpeed(seconds / batch.Count);
            int dimension = _sampler.Description.Dimension;
            for (int i = 0; i < batch.Count; i++)
                batch[i].Request.Take(batch[i].Index, images.Values.Span.Slice(i * dimension, dimension));
            LogEvaluated(batch.Count, 1000 * seconds);
        }
        catch (OperationCanceledException) when (!_end.IsCancellationRequested)
        {
            LogUnwanted(batch.Count);
        }
        catch (OperationCanceledException)
        {
            Fail(batch, Closed());
        }
        catch (Exception e)
        {
            LogFailed(e, batch.Count);
            Fail(batch, e);
        }
        finally
        {
            lock (_lock)
                _running = default;
        }
    }

    private GeneratedImages Generate(IReadOnlyList<(QueuedRequest Request, int Index)> batch, CancellationToken cancellation)
    {
        float[] latents = _sampler.DrawLatents([.. batch.Select(b => b.Request.Seed(b.Index))]);
        long[]? labels = _sampler.Description.Classes == 0 ? null : [.. batch.Select(b => b.Request.Label(b.Index))];
        var links = batch.Select(b => b.Request).Distinct().Where(r => r.Caller != default).Select(r => new ActivityLink(r.Caller));
        return _sampler.Generate(latents, labels, links, cancellation);
    }

    private void MeasureSpeed(double seconds)
    {
        lock (_lock)
            _secondsAnImage = _secondsAnImage == 0 ? seconds : (Newest * seconds) + ((1 - Newest) * _secondsAnImage);
    }

    // What is left of their images is no longer wanted either.
    private void Fail(IEnumerable<(QueuedRequest Request, int Index)> batch, Exception error)
    {
        foreach (var request in batch.Select(b => b.Request).Distinct())
        {
            request.Fail(error);
            RemoveWaiting(request);
        }
    }

    private void Close(Exception error)
    {
        lock (_lock)
            _isClosed = true;
        Fail([.. _waiting], error); // nobody enters any more
    }

    private static ObjectDisposedException Closed() => new(nameof(QueuedSampler), "The queue was closed.");

    [LoggerMessage(LogLevel.Debug, "Made {Images} images in {Milliseconds:F1} ms.")]
    private partial void LogEvaluated(int images, double milliseconds);

    [LoggerMessage(LogLevel.Debug, "Stopped an evaluation of {Images} images, of which none was wanted any longer.")]
    private partial void LogUnwanted(int images);

    [LoggerMessage(LogLevel.Warning, "Refused a request for {Images} images: {Waiting} wait already; told to try again in {Seconds} s.")]
    private partial void LogRefused(int images, int waiting, double seconds);

    [LoggerMessage(LogLevel.Error, "The evaluation of {Images} images failed.")]
    private partial void LogFailed(Exception error, int images);

    [LoggerMessage(LogLevel.Critical, "The queue stopped.")]
    private partial void LogStopped(Exception error);
}
