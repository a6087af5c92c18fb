namespace FewStep.Search;

/// <summary>Indices from 0 to count - 1 in a random order without repetition, drawn as needed (Fisher and Yates, keeping only what was
/// moved).</summary>
internal sealed class RandomOrder(long count, long seed)
{
    private readonly Dictionary<long, long> _moved = [];
    private const long Stream = 1;
    private long _taken;

    public long[] Take(int number)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, count - _taken);
        var indices = new long[number];
        for (int k = 0; k < number; k++)
        {
            // 63 random bits over at most some millions of images: the remainder's bias is below 1e-12.
            long pick = _taken + SeedHash.Derive(seed, Stream, _taken) % (count - _taken);
            indices[k] = _moved.GetValueOrDefault(pick, pick);
            _moved[pick] = _moved.GetValueOrDefault(_taken, _taken);
            _moved.Remove(_taken);
            _taken++;
        }

        return indices;
    }
}
