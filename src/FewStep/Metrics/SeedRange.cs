namespace FewStep.Metrics;

/// <summary>A run of consecutive image seeds. Disjoint ranges give independent samples, whose spread tells how far a metric can be
/// trusted.</summary>
public sealed record SeedRange
{
    /// <summary>Creates a range.</summary>
    /// <param name="first">First seed, 0 or more.</param>
    /// <param name="count">Number of images, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public SeedRange(long first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, long.MaxValue - count);
        (First, Count) = (first, count);
    }

    /// <summary>First seed.</summary>
    public long First { get; }

    /// <summary>Number of images.</summary>
    public int Count { get; }

    /// <summary>Consecutive ranges of equal size from <paramref name="first"/> on; disjoint by construction.</summary>
    /// <param name="first">First seed, 0 or more.</param>
    /// <param name="count">Images in each range, 1 or more.</param>
    /// <param name="ranges">Number of ranges, 1 or more.</param>
    public static IReadOnlyList<SeedRange> Consecutive(long first, int count, int ranges)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ranges, 1);
        return [.. Enumerable.Range(0, ranges).Select(i => new SeedRange(checked(first + ((long)i * count)), count))];
    }

    /// <summary>The seeds, in order, cut into batches.</summary>
    /// <param name="batch">Seeds in a batch, 1 or more; the last batch may be shorter.</param>
    public IEnumerable<long[]> Batches(int batch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        for (int done = 0; done < Count; done += batch)
            yield return [.. Enumerable.Range(done, Math.Min(batch, Count - done)).Select(i => First + i)];
    }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"seeds {First} to {First + Count - 1}");
}
