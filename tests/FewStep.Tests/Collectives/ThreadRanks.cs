using FewStep.Collectives;

namespace FewStep.Tests.Collectives;

/// <summary>Ranks that are threads of this process.</summary>
internal sealed class ThreadRanks : ICollective, IDisposable
{
    private readonly ThreadRanks[] _all;
    private readonly Barrier _meeting;
    private byte[] _sent = [];

    private ThreadRanks(int rank, ThreadRanks[] all, Barrier meeting) => (Rank, _all, _meeting) = (rank, all, meeting);

    public int Rank { get; }
    public int Ranks => _all.Length;

    /// <summary>Bytes that left this rank for others.</summary>
    public long BytesSent { get; private set; }

    /// <summary>Does the same on each of several ranks, and gives what each made of it.</summary>
    public static T[] Run<T>(int ranks, Func<ThreadRanks, T> work)
    {
        using var meeting = new Barrier(ranks);
        var all = new ThreadRanks[ranks];
        for (int r = 0; r < ranks; r++)
            all[r] = new ThreadRanks(r, all, meeting);
        var results = new T[ranks];
        var failures = new Exception?[ranks];
        Thread[] threads = [.. all.Select(own => new Thread(() =>
        {
            try
            {
                results[own.Rank] = work(own);
            }
            catch (Exception e)
            {
                failures[own.Rank] = e;
                meeting.RemoveParticipant(); // the others go on or fail by themselves
            }
        }))];
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        return failures.FirstOrDefault(f => f is not null) is { } failure ? throw failure : results;
    }

    public void Exchange(ReadOnlySpan<byte> sent, Span<byte> received)
    {
        int part = sent.Length / Ranks;
        Send(sent);
        for (int r = 0; r < Ranks; r++)
            _all[r]._sent.AsSpan(Rank * part, part).CopyTo(received[(r * part)..]);
        BytesSent += (long)part * (Ranks - 1);
        _meeting.SignalAndWait();
    }

    public void Gather(ReadOnlySpan<byte> own, Span<byte> all)
    {
        Send(own);
        for (int r = 0; r < Ranks; r++)
            _all[r]._sent.CopyTo(all[(r * own.Length)..]);
        BytesSent += (long)own.Length * (Ranks - 1);
        _meeting.SignalAndWait();
    }

    public void Dispose() => _meeting.Dispose();

    private void Send(ReadOnlySpan<byte> bytes)
    {
        _sent = bytes.ToArray();
        _meeting.SignalAndWait();
    }
}
