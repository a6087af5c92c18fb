namespace FewStep.Collectives;

/// <summary>The processes (ranks) that do one training together. All ranks make the same calls in the same order; a call returns when all
/// have made it.</summary>
/// <remarks>Bytes alone are moved. What is summed is summed here, in the order of the ranks, so that a number of ranks always rounds
/// alike: the order within a library's own sums is the library's choice.</remarks>
internal interface ICollective
{
    /// <summary>This process, from 0.</summary>
    int Rank { get; }

    /// <summary>How many there are, 1 or more.</summary>
    int Ranks { get; }

    /// <summary>Gives each rank its part of this one's bytes.</summary>
    /// <param name="sent">As many equal parts as there are ranks, in their order.</param>
    /// <param name="received">The parts that the ranks have for this one, in their order.</param>
    void Exchange(ReadOnlySpan<byte> sent, Span<byte> received);

    /// <summary>Gives all ranks the bytes of all, in their order.</summary>
    /// <param name="own">As many on every rank.</param>
    void Gather(ReadOnlySpan<byte> own, Span<byte> all);
}

/// <summary>A process by itself.</summary>
internal sealed class SingleProcess : ICollective
{
    public static SingleProcess Instance { get; } = new();

    public int Rank => 0;
    public int Ranks => 1;
    public void Exchange(ReadOnlySpan<byte> sent, Span<byte> received) => sent.CopyTo(received);
    public void Gather(ReadOnlySpan<byte> own, Span<byte> all) => own.CopyTo(all);
}
