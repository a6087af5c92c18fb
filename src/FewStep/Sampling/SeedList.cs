using System.Collections;

namespace FewStep.Sampling;

/// <summary>A list of image seeds, written as <c>0-63</c>, <c>5</c> or <c>0-9,20-29</c>; no seed occurs twice.</summary>
public sealed class SeedList : IReadOnlyList<long>
{
    /// <summary>Most seeds that one list may hold.</summary>
    public const int MaximumCount = 10_000_000;

    private const int MaximumText = 100_000;
    private readonly (long First, long Last)[] _ranges;
    private readonly int[] _starts; // position in the list of each range's first seed

    private (long First, long Last)[]? _sorted;

    private SeedList((long First, long Last)[] ranges)
    {
        _ranges = ranges;
        _starts = new int[ranges.Length];
        for (int r = 0; r < ranges.Length; r++)
        {
            _starts[r] = Count;
            long total = Count + (ranges[r].Last - ranges[r].First + 1);
            if (total > MaximumCount)
                throw new InvalidInputException($"The seeds are more than {MaximumCount}; use fewer.");
            Count = (int)total;
        }
    }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public long this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            int found = Array.BinarySearch(_starts, index);
            int r = found >= 0 ? found : ~found - 1;
            return _ranges[r].First + (index - _starts[r]);
        }
    }

    /// <summary>The seeds first, first + 1, ... of a given number of images.</summary>
    /// <param name="count">1 to <see cref="MaximumCount"/>.</param>
    /// <param name="first">First seed; default 0.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public static SeedList Of(int count, long first = 0)
    {
        if (count < 1 || first < 0 || first > Latents.MaximumSeed - count + 1)
        {
            throw new InvalidInputException(
                $"{count} images from seed {first} are impossible: at least 1 image, and seeds 0 to {Latents.MaximumSeed}.");
        }

        return new SeedList([(first, first + count - 1)]);
    }

    /// <summary>Reads a list of seeds.</summary>
    /// <param name="text">Seeds and ranges with both ends included, separated by commas.</param>
    /// <exception cref="InvalidInputException">The text is no such list, a seed is out of range or occurs twice, or there are more than
    /// <see cref="MaximumCount"/>.</exception>
    public static SeedList Parse(string text)
    {
        if (text.Length > MaximumText)
        {
            throw new InvalidInputException(
                $"The list of seeds has {text.Length} characters; at most {MaximumText} are read. Use ranges such as 0-63.");
        }

        var ranges = text.Split(',').Select(ParseRange).ToArray();
        var sorted = ranges.OrderBy(r => r.First).ToArray();
        for (int r = 1; r < sorted.Length; r++)
        {
            if (sorted[r].First <= sorted[r - 1].Last)
                throw new InvalidInputException($"Seed {sorted[r].First} occurs twice in the list of seeds; each gives one image.");
        }

        return new SeedList(ranges);
    }

    /// <summary>Whether a seed is one of them.</summary>
    internal bool Has(long seed)
    {
        _sorted ??= [.. _ranges.OrderBy(r => r.First)];
        int after = Array.FindIndex(_sorted, r => r.First > seed);
        int place = after < 0 ? _sorted.Length - 1 : after - 1;
        return place >= 0 && seed <= _sorted[place].Last;
    }

    /// <inheritdoc/>
    public IEnumerator<long> GetEnumerator()
    {
        foreach (var (first, last) in _ranges)
        {
            for (long seed = first; seed <= last; seed++)
                yield return seed;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The list in the form that <see cref="Parse"/> reads.</summary>
    public override string ToString() => string.Join(",", _ranges.Select(r => r.First == r.Last
        ? r.First.ToString(CultureInfo.InvariantCulture)
        : InvariantText.Of($"{r.First}-{r.Last}")));

    private static (long First, long Last) ParseRange(string part)
    {
        string[] ends = part.Split('-');
        if (ends.Length > 2 || !TryParseSeed(ends[0], out long first) || !TryParseSeed(ends[^1], out long last))
        {
            throw new InvalidInputException($"'{Printable.Line(part, 40)}' is no seed or range of seeds: write them as 5, 0-63 or "
                + $"0-9,20-29, from 0 to {Latents.MaximumSeed}.");
        }

        return last >= first ? (first, last)
            : throw new InvalidInputException($"The range of seeds {first}-{last} runs backwards; write {last}-{first}.");
    }

    private static bool TryParseSeed(string text, out long seed) =>
        long.TryParse(text, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out seed)
            && seed <= Latents.MaximumSeed;
}
