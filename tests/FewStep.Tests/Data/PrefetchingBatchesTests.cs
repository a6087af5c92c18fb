using FewStep.Data;

namespace FewStep.Tests.Data;

public class PrefetchingBatchesTests
{
    private static readonly ImageBatchOptions Options = new() { BatchSize = 8, Seed = 5, Flip = true };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void Gives_what_reading_without_it_gives()
    {
        using var set = ListImageSet.Numbered(30, channels: 3);
        var batches = new ImageBatches(set, Options);
        using var ahead = new PrefetchingBatches(new ImageBatches(set, Options), position: 16, ahead: 3);
        long position = 16;
        for (int i = 0; i < 20; i++)
        {
            using var expected = batches.Read(position);
            using var batch = ahead.Next(Stop);
            Assert.Equal(position, batch.Position);
            Assert.Equal(expected.Images.data<float>().ToArray(), batch.Images.data<float>().ToArray());
            Assert.Equal(expected.Labels!.data<long>().ToArray(), batch.Labels!.data<long>().ToArray());
            position += batch.Count;
        }
    }

    [Fact]
    public void Tensors_belong_to_the_consumers_dispose_scope()
    {
        using var set = ListImageSet.Numbered(30);
        using var ahead = new PrefetchingBatches(new ImageBatches(set, Options));
        ImageBatch batch;
        using (NewDisposeScope())
        {
            batch = ahead.Next(Stop);
            Assert.False(batch.Images.IsInvalid);
        }

        Assert.True(batch.Images.IsInvalid);
    }

    [Fact]
    public void Failures_reach_the_consumer_after_the_good_batches()
    {
        int broken = new EpochShuffle(30, Options.Seed)[20];
        using var set = ListImageSet.Numbered(30, broken: broken);
        using var ahead = new PrefetchingBatches(new ImageBatches(set, Options));
        ahead.Next(Stop).Dispose();
        ahead.Next(Stop).Dispose();
        Assert.Contains($"image {broken}", Assert.Throws<InvalidInputException>(() => ahead.Next(Stop)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => ahead.Next(Stop));
    }

    [Fact]
    public void Stops_at_once_when_disposed_or_cancelled()
    {
        using var set = ListImageSet.Numbered(30);
        var ahead = new PrefetchingBatches(new ImageBatches(set, Options), ahead: 1);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => ahead.Next(cancelled.Token));
        ahead.Next(Stop).Dispose();
        ahead.Dispose();
        ahead.Dispose();
        Assert.Throws<ObjectDisposedException>(() => ahead.Next(Stop));
    }
}
