namespace FewStep.Shards;

/// <summary>One of n shares of a command's work: the i-th, counted from 1, written <c>i/n</c>. A share owns every n-th of the pieces that
/// the work is cut into, so who does a piece follows from its number alone.</summary>
internal sealed record Shard
{
    /// <summary>Most shares of one command.</summary>
    public const int MaximumCount = 100_000;

    public Shard(int number, int count)
    {
        if (count is < 1 or > MaximumCount || number < 1 || number > count)
            throw new InvalidInputException(InvariantText.Of($"There is no shard {number}/{count}: {Rule}"));
        (Number, Count) = (number, count);
    }

    /// <summary>Which one, 1 to <see cref="Count"/>.</summary>
    public int Number { get; }

    /// <summary>How many there are.</summary>
    public int Count { get; }

    private static string Rule => InvariantText.Of($"write i/n with i from 1 to n, e.g. 3/7; n is {MaximumCount} at the most.");

    /// <summary>Reads <c>i/n</c>.</summary>
    public static Shard Parse(string text) =>
        text.Split('/') is [var first, var second]
            && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            ? new Shard(number, count)
            : throw new InvalidInputException($"'{Printable.Line(text, 40)}' is no shard: {Rule}");

    /// <summary>The number of the share that a piece of the work, counted from 0, belongs to.</summary>
    public static int OwnerOf(long piece, int count) => (int)(piece % count) + 1;

    /// <summary>Whether a piece of the work, counted from 0, is this share's.</summary>
    public bool Owns(long piece) => OwnerOf(piece, Count) == Number;

    /// <summary>Its pieces of so many, in their order.</summary>
    public IEnumerable<int> Owned(int pieces)
    {
        for (long piece = Number - 1; piece < pieces; piece += Count)
            yield return (int)piece;
    }

    public override string ToString() => InvariantText.Of($"{Number}/{Count}");
}
