using System.Threading.Channels;

namespace FewStep.Data;

/// <summary>The batches from a position on, read ahead in the background. For one consuming thread.</summary>
/// <remarks>The background arranges bytes only; tensors are made by <see cref="Next"/>, in its caller's dispose scope.</remarks>
internal sealed class PrefetchingBatches : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<PreparedBatch> _ready;
    private readonly Device? _device;
    private readonly Task _producer;

    public PrefetchingBatches(ImageBatches batches, long position = 0, int ahead = 4, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfLessThan(ahead, 1);
        _device = device;
        _ready = Channel.CreateBounded<PreparedBatch>(new BoundedChannelOptions(ahead) { SingleReader = true, SingleWriter = true });
        _producer = Task.Run(() => ProduceAsync(batches, position, _stop.Token));
    }

    /// <summary>The next batch; waits until it is read.</summary>
    /// <returns>The batch; the caller owns it.</returns>
    public ImageBatch Next(CancellationToken cancellation = default)
    {
        ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
        cancellation.ThrowIfCancellationRequested();
        PreparedBatch? batch;
        while (!_ready.Reader.TryRead(out batch))
        {
            // Blocks this thread on purpose: after an await the caller's dispose scope would be another thread's.
            bool more = _ready.Reader.WaitToReadAsync(cancellation).AsTask().GetAwaiter().GetResult();
            ObjectDisposedException.ThrowIf(!more, this);
        }

        return batch.ToTensors(_device);
    }

    /// <summary>Stops reading ahead and waits for the image that is being read.</summary>
    public void Dispose()
    {
        if (_stop.IsCancellationRequested)
            return;
        _stop.Cancel();
        _producer.Wait();
        _stop.Dispose();
    }

    private async Task ProduceAsync(ImageBatches batches, long position, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await _ready.Writer.WriteAsync(batches.Prepare(position, stop), stop).ConfigureAwait(false);
                position += batches.Options.BatchSize;
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            _ready.Writer.Complete();
        }
#pragma warning disable CA1031 // whatever goes wrong here belongs to the consumer, who gets it from Next
        catch (Exception e)
#pragma warning restore CA1031
        {
            _ready.Writer.Complete(e);
        }
    }
}
