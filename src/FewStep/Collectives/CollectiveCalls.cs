using System.Runtime.InteropServices;

namespace FewStep.Collectives;

/// <summary>What ranks agree on, and small things that they sum.</summary>
internal static class CollectiveCalls
{
    /// <summary>Whether this rank is the one that writes and speaks.</summary>
    public static bool IsFirst(this ICollective ranks) => ranks.Rank == 0;

    /// <summary>Whether it is so on any rank.</summary>
    public static bool Any(this ICollective ranks, bool here) => ranks.Ranks == 1 ? here : ranks.Gathered([here ? 1 : 0]).Any(v => v != 0);

    /// <summary>Whether it is so on the first rank.</summary>
    public static bool OnFirst(this ICollective ranks, bool here) => ranks.Any(ranks.IsFirst() && here);

    /// <summary>The sums of numbers over all ranks.</summary>
    public static double[] Sum(this ICollective ranks, params double[] own)
    {
        if (ranks.Ranks == 1)
            return own;
        double[] all = ranks.Gathered(own);
        return [.. own.Select((_, i) => Enumerable.Range(0, ranks.Ranks).Sum(r => all[(r * own.Length) + i]))];
    }

    /// <summary>The sum of one float32 over all ranks, where it lies.</summary>
    /// <returns>It belongs to the current dispose scope.</returns>
    public static Tensor Sum(this ICollective ranks, Tensor own) => ranks.Ranks == 1 ? own
        : TensorArithmetic.Full(own.shape, ranks.Sum([own.item<float>()])[0], own.dtype, own.device);

    /// <summary>The norm of a vector of which every rank has a slice.</summary>
    /// <returns>float32, where the slice lies; it belongs to the current dispose scope.</returns>
    public static Tensor Norm(this ICollective ranks, Tensor slice)
    {
        var norm = slice.norm();
        return ranks.Ranks == 1 ? norm
            : TensorArithmetic.Full([], Math.Sqrt(ranks.Sum(Math.Pow(norm.item<float>(), 2))[0]), norm.dtype, norm.device);
    }

    /// <summary>The part of a batch that is this rank's: neighbours, and as many as on any other, or one less.</summary>
    public static BatchPart PartOf(this ICollective ranks, int batch) => ranks.PartOf(batch, ranks.Rank);

    /// <summary>Refuses a number of images that leaves ranks without work.</summary>
    /// <param name="set">What they are, for the message.</param>
    public static void RequireWork(this ICollective ranks, int images, string set = "batch")
    {
        if (images < ranks.Ranks)
        {
            throw new InvalidInputException(InvariantText.Of($"A {set} of {images} cannot be divided among {ranks.Ranks} ranks: it is ")
                + "that of all of them together; take a larger one or fewer ranks.");
        }
    }

    /// <summary>A batch of which every rank has its part.</summary>
    /// <param name="own">This rank's rows, [<see cref="BatchPart.Count"/>, ...].</param>
    /// <returns>All rows; they belong to the current dispose scope.</returns>
    public static Tensor Rows(this ICollective ranks, Tensor own, int batch)
    {
        if (ranks.Ranks == 1)
            return own;
        using var scope = NewDisposeScope();
        int most = (batch + ranks.Ranks - 1) / ranks.Ranks;
        long[] row = own.shape[1..];
        var sent = zeros([most, .. row], own.dtype);
        if (own.shape[0] > 0)
            sent.narrow(0, 0, own.shape[0]).copy_(own);
        var all = empty([ranks.Ranks, most, .. row], own.dtype);
        ranks.Gather(sent.bytes, all.bytes);
        var parts = Enumerable.Range(0, ranks.Ranks).Select(r => all.select(0, r).narrow(0, 0, ranks.PartOf(batch, r).Count));
        return HostCopy.To(cat([.. parts]), own.device).MoveToOuterDisposeScope();
    }

    /// <summary>Refuses to go on where the ranks have different things before them.</summary>
    /// <param name="text">What must be the same on all.</param>
    /// <param name="what">Its name, for the message.</param>
    public static void RequireSame(this ICollective ranks, string text, string what)
    {
        if (ranks.Ranks == 1)
            return;
        byte[] own = SHA256.HashData(Encoding.UTF8.GetBytes(text)), all = new byte[own.Length * ranks.Ranks];
        ranks.Gather(own, all);
        byte[][] hashes = [.. all.Chunk(own.Length)];
        int other = Array.FindIndex(hashes, hash => !hash.SequenceEqual(hashes[0]));
        if (other >= 0)
        {
            throw new InvalidInputException(InvariantText.Of($"The ranks differ in {what} (rank {other} from rank 0): give all the ")
                + "same program, command line, model and data.");
        }
    }

    private static BatchPart PartOf(this ICollective ranks, int batch, int rank)
    {
        int first = (int)((long)batch * rank / ranks.Ranks), next = (int)((long)batch * (rank + 1) / ranks.Ranks);
        return new(first, next - first, batch);
    }

    private static double[] Gathered(this ICollective ranks, double[] own)
    {
        double[] all = new double[own.Length * ranks.Ranks];
        ranks.Gather(MemoryMarshal.AsBytes(own.AsSpan()), MemoryMarshal.AsBytes(all.AsSpan()));
        return all;
    }
}
