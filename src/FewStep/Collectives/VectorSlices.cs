namespace FewStep.Collectives;

/// <summary>A flat float32 vector that is divided among the ranks, each of which keeps and updates a slice: what an optimiser needs beside
/// the weights then takes a rank's share of the memory (ZeRO, stage 1: 1910.02054).</summary>
/// <remarks>A gradient is summed where its slice is updated, and the updated slices are gathered: as many bytes as a sum for all ranks
/// takes. They go through the processor's memory in parts.</remarks>
/// <param name="ranks">Not disposed.</param>
/// <param name="count">Length of the vector.</param>
/// <param name="part">Numbers that are sent at once, of all ranks' slices together.</param>
internal sealed class VectorSlices(ICollective ranks, long count, long part = 1 << 24)
{
    // All slices but the last ones are of this length.
    private readonly long _each = (count + ranks.Ranks - 1) / ranks.Ranks;

    public ICollective Ranks => ranks;

    /// <summary>Length of the whole vector.</summary>
    public long Count => count;

    /// <summary>The slice of this rank.</summary>
    /// <returns>A view; it belongs to the current dispose scope.</returns>
    public Tensor Own(Tensor whole) => whole.narrow(0, First(ranks.Rank), Length(ranks.Rank));

    /// <summary>Sums a vector over the ranks.</summary>
    /// <param name="whole">What this rank adds, in full.</param>
    /// <returns>The slice of the sum that is this rank's, where the vector lies; it belongs to the current dispose scope, and is the vector
    /// itself for one rank.</returns>
    public Tensor Sum(Tensor whole)
    {
        if (ranks.Ranks == 1)
            return whole;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var sum = empty([Length(ranks.Rank)], whole.dtype, whole.device);
        foreach (var (at, width) in Parts())
        {
            using var one = NewDisposeScope();
            Tensor sent = zeros([ranks.Ranks, width], whole.dtype), received = empty_like(sent);
            for (int r = 0; r < ranks.Ranks; r++)
                Copy(Of(whole, First(r), r, at, width), sent.select(0, r));
            ranks.Exchange(sent.bytes, received.bytes);
            var total = received.select(0, 0);
            for (int r = 1; r < ranks.Ranks; r++)
                total.Plus_(received.select(0, r));
            Copy(total, Of(sum, 0, ranks.Rank, at, width));
        }

        return sum.MoveToOuterDisposeScope();
    }

    /// <summary>Gives a vector, of which this rank has its own slice right, those of the others.</summary>
    public void Complete(Tensor whole)
    {
        if (ranks.Ranks == 1)
            return;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (at, width) in Parts())
        {
            using var one = NewDisposeScope();
            Tensor sent = zeros([width], whole.dtype), received = empty([ranks.Ranks, width], whole.dtype);
            Copy(Of(whole, First(ranks.Rank), ranks.Rank, at, width), sent);
            ranks.Gather(sent.bytes, received.bytes);
            for (int r = 0; r < ranks.Ranks; r++)
                Copy(received.select(0, r), Of(whole, First(r), r, at, width));
        }
    }

    /// <summary>The whole vector, of which every rank keeps its slice.</summary>
    /// <returns>It belongs to the current dispose scope; for one rank it is the slice's own memory.</returns>
    public Tensor Whole(Tensor slice)
    {
        if (ranks.Ranks == 1)
            return slice.alias();
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var whole = empty([count], slice.dtype, slice.device);
        Copy(slice, Own(whole));
        Complete(whole);
        return whole.MoveToOuterDisposeScope();
    }

    private long First(int rank) => Math.Min(count, rank * _each);

    private long Length(int rank) => Math.Min(count, (rank + 1) * _each) - First(rank);

    private IEnumerable<(long At, long Width)> Parts()
    {
        long most = Math.Max(1, part / ranks.Ranks);
        for (long at = 0; at < _each; at += most)
            yield return (at, Math.Min(most, _each - at));
    }

    // What a part of a rank's slice holds, which may be less than the part's width, or nothing.
    private Tensor Of(Tensor values, long first, int rank, long at, long width)
        => values.narrow(0, first + Math.Min(at, Length(rank)), Math.Clamp(Length(rank) - at, 0, width));

    private static void Copy(Tensor from, Tensor to)
    {
        long both = Math.Min(from.NumberOfElements, to.NumberOfElements);
        if (both > 0)
            to.narrow(0, 0, both).copy_(from.narrow(0, 0, both));
    }
}
