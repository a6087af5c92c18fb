using System.Collections.Concurrent;

namespace FewStep.Tests.Platform;

public sealed class ShareThreadsTests
{
    [Fact]
    public void Tensor_threads_are_divided_among_the_shares_and_the_callers_stay_as_they_are()
    {
        var seen = new ConcurrentDictionary<int, (int Threads, int Thread)>();
        using var both = new Barrier(2);
        int after = OnThread.WithTensorThreads(5, () =>
        {
            ShareThreads.Run(2, i =>
            {
                seen[i] = (get_num_threads(), Environment.CurrentManagedThreadId);
                both.SignalAndWait(); // nobody comes past here alone
            });
            return get_num_threads();
        });
        Assert.Equal(5, after);
        Assert.Equal([0, 1], seen.Keys.Order());
        Assert.All(seen.Values, s => Assert.Equal(2, s.Threads));
        Assert.NotEqual(seen[0].Thread, seen[1].Thread);
    }

    [Fact]
    public void A_share_that_fails_fails_at_the_caller_once_the_others_are_done()
    {
        int done = 0;
        var failure = Assert.Throws<InvalidInputException>(() => ShareThreads.Run(3, i =>
        {
            if (i == 1)
                throw new InvalidInputException("share 1");
            Thread.Sleep(50);
            Interlocked.Increment(ref done);
        }));
        Assert.Equal("share 1", failure.Message);
        Assert.Equal(2, done);
        ShareThreads.Run(3, _ => Interlocked.Increment(ref done));
        Assert.Equal(5, done);
    }

    [Fact]
    public void Callers_side_by_side_each_get_their_own_shares()
    {
        int[] sums = new int[8];
        Parallel.For(0, sums.Length, caller =>
        {
            for (int round = 0; round < 50; round++)
                ShareThreads.Run(3, i => Interlocked.Add(ref sums[caller], i + 1));
        });
        Assert.All(sums, s => Assert.Equal(50 * 6, s));
    }
}
