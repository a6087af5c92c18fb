using System.Diagnostics;
using System.Diagnostics.Metrics;
using FewStep.Deploy;
using FewStep.Deploy.Serving;
using FewStep.Tests.Onnx;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FewStep.Tests.Deploy;

public sealed class QueuedSamplerTests : FolderTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Concurrent_requests_share_evaluations_and_get_their_own_images()
    {
        using var sampler = Open(SamplerOnnx.Conditional());
        await using var queue = Queue(sampler, new() { MaximumBatch = 4, BatchWait = TimeSpan.FromMilliseconds(200) });
        using var sizes = new Measured<int>("fewstep.batch.size");
        using var outcomes = new Measured<long>("fewstep.requests");
        long[][] asked = [[1], [2, 3, 4, 5], [4294967295]];
        var tasks = asked.Select(seeds => queue.GenerateAsync(seeds, cancellation: None)).ToList();
        for (int i = 0; i < asked.Length; i++)
        {
            float[] alone = (await sampler.GenerateAsync(asked[i], cancellation: None)).Values.ToArray();
            Assert.Equal(alone, (await tasks[i]).Values.ToArray(), (a, b) => Math.Abs(a - b) < 1e-6);
        }

        Assert.Equal([1, 1, 2, 4, 4], sizes.Values.Order()); // 6 queued ones as 4 and 2, and three alone: 1, 4, 1
        Assert.Equal(["completed", "completed", "completed"], outcomes.Tags("outcome"));
        Assert.Equal(0, queue.Waiting);
    }

    [Fact]
    public async Task Requests_beyond_the_limit_are_refused_and_cancelled_ones_give_their_place_free()
    {
        using var sampler = Open(SamplerOnnx.Endless());
        var queue = Queue(sampler, new() { MaximumBatch = 2, MaximumQueued = 3, BatchWait = TimeSpan.Zero });
        using var outcomes = new Measured<long>("fewstep.requests");
        using var length = new Measured<long>("fewstep.queue.length");
        using CancellationTokenSource first = new(), second = new();
        var running = queue.GenerateAsync([1, 2], cancellation: first.Token);
        await Until(() => queue.Waiting == 0);
        var waiting = queue.GenerateAsync([3, 4], cancellation: second.Token);
        var refused = Assert.Throws<QueueFullException>(() => { _ = queue.GenerateAsync([5, 6], cancellation: None); });
        Assert.True(refused.RetryAfter >= TimeSpan.FromSeconds(1));
        Assert.Throws<ArgumentException>(() => { _ = queue.GenerateAsync([1, 2, 3, 4], cancellation: None); });

        // What waits leaves at once, though an evaluation goes on.
        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, queue.Waiting);
        var next = queue.GenerateAsync([7], cancellation: None);
        Assert.Equal(1, queue.Waiting);

        // An evaluation that nobody wants makes room for the next.
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Until(() => queue.Waiting == 0);
        Assert.True(queue.IsOpen && !next.IsCompleted);

        await queue.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => next);
        Assert.Throws<ObjectDisposedException>(() => { _ = queue.GenerateAsync([1], cancellation: None); });
        Assert.False(queue.IsOpen);
        Assert.Equal(["cancelled", "cancelled", "failed", "refused"], outcomes.Tags("outcome").Order(StringComparer.Ordinal));
        Assert.Equal(0, length.Values.Sum());
    }

    [Fact]
    public async Task An_evaluation_goes_on_while_one_of_its_requests_is_wanted()
    {
        using var sampler = Open(SamplerOnnx.Conditional());
        await using var queue = Queue(sampler, new() { MaximumBatch = 8, BatchWait = TimeSpan.FromMilliseconds(150) });
        using var sizes = new Measured<int>("fewstep.batch.size");
        using var cancel = new CancellationTokenSource();
        var left = queue.GenerateAsync([1, 2], cancellation: cancel.Token);
        var stayed = queue.GenerateAsync([3], cancellation: None);
        await cancel.CancelAsync();
        Assert.Equal(1, (await stayed).Count);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        Assert.Equal([1], sizes.Values);
    }

    [Fact]
    public async Task An_evaluation_is_traced_with_links_to_the_requests_in_it()
    {
        var seen = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is SamplerTelemetry.ActivitySourceName or nameof(QueuedSamplerTests),
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = a => { lock (seen) seen.Add(a); },
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource(nameof(QueuedSamplerTests));
        using var sampler = Open(SamplerOnnx.Conditional());
        await using var queue = Queue(sampler, new() { BatchWait = TimeSpan.FromMilliseconds(50) });
        ActivityTraceId caller;
        using (var activity = source.StartActivity("caller"))
        {
            caller = activity!.TraceId;
            await queue.GenerateAsync([1, 2], cancellation: None);
        }

        var batch = Assert.Single(seen, a => a.OperationName == "fewstep.batch");
        Assert.Equal(caller, Assert.Single(batch.Links).Context.TraceId);
        Assert.NotEqual(caller, batch.TraceId);
        Assert.Equal(2, batch.GetTagItem("fewstep.images"));
    }

    [Fact]
    public async Task AddFewStep_gives_one_sampler_and_one_queue_and_says_all_that_is_wrong()
    {
        string path = SamplerOnnx.Conditional().Write(_folder.File("sampler.onnx"));
        ServiceProvider Services(Action<FewStepOptions> configure) =>
            new ServiceCollection().AddLogging().AddFewStep(configure).BuildServiceProvider();
        await using (var services = Services(o => o.SamplerPath = path))
        {
            var queue = services.GetRequiredService<QueuedSampler>();
            Assert.Same(queue, services.GetRequiredService<QueuedSampler>());
            Assert.Equal("tiny", services.GetRequiredService<FewStepSampler>().Description.Model);
            Assert.Equal(2, (await queue.GenerateAsync([1, 2], cancellation: None)).Count);
        }

        await using var wrong = Services(o => (o.MaximumBatch, o.MaximumQueued, o.Threads) = (0, -1, -2));
        string message = Assert.Throws<OptionsValidationException>(wrong.GetRequiredService<QueuedSampler>).Message;
        Assert.All(["SamplerPath", "MaximumBatch", "MaximumQueued", "Threads"],
            option => Assert.Contains(option, message, StringComparison.Ordinal));
    }

    private FewStepSampler Open(OnnxFile graph) => FewStepSampler.Open(graph.Write(_folder.File("sampler.onnx")), new() { Threads = 1 });

    private static QueuedSampler Queue(FewStepSampler sampler, FewStepOptions options) =>
        new(sampler, options, NullLogger<QueuedSampler>.Instance);

    private static async Task Until(Func<bool> holds)
    {
        for (int i = 0; i < 500 && !holds(); i++)
            await Task.Delay(10, None);
        Assert.True(holds());
    }

    /// <summary>What an instrument of the package measures meanwhile.</summary>
    private sealed class Measured<T> : IDisposable
        where T : struct
    {
        private readonly MeterListener _listener = new();
        private readonly List<(T Value, Dictionary<string, object?> Tags)> _seen = [];

        public Measured(string instrument)
        {
            _listener.InstrumentPublished = (published, listener) =>
            {
                if (published.Meter.Name == SamplerTelemetry.MeterName && published.Name == instrument)
                    listener.EnableMeasurementEvents(published);
            };
            _listener.SetMeasurementEventCallback<T>((_, value, tags, _) =>
            {
                lock (_seen)
                    _seen.Add((value, tags.ToArray().ToDictionary()));
            });
            _listener.Start();
        }

        public IEnumerable<T> Values
        {
            get
            {
                lock (_seen)
                    return [.. _seen.Select(s => s.Value)];
            }
        }

        public IEnumerable<string> Tags(string name)
        {
            lock (_seen)
                return [.. _seen.Select(s => (string)s.Tags[name]!)];
        }

        public void Dispose() => _listener.Dispose();
    }
}
