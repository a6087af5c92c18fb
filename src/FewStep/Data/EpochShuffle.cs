namespace FewStep.Data;

/// <summary>An endless deterministic order of a data set, a fresh permutation each epoch; any position can be asked for.</summary>
internal sealed class EpochShuffle(int count, long seed)
{
    private readonly int[] _order = new int[count > 0 ? count
        : throw new ArgumentOutOfRangeException(nameof(count), "A shuffle needs at least one image.")];
    private long _epoch = -1;

    /// <summary>The image at a position of the endless order. Not thread-safe.</summary>
    public int this[long position]
    {
        get
        {
            long epoch = Math.DivRem(position, count, out long within);
            if (epoch != _epoch)
                Permute(epoch);
            return _order[within];
        }
    }

    /// <summary>A set's images in the order of the first epoch: sets are often sorted by class, and parts of them must not be.</summary>
    public static int[] Order(IImageSet images, long seed)
    {
        var order = new EpochShuffle(images.Count, seed);
        order.Permute(0);
        return order._order;
    }

    private void Permute(long epoch)
    {
        for (int i = 0; i < count; i++)
            _order[i] = i;
        for (int i = count - 1; i > 0; i--)
        {
            int j = (int)(SeedHash.Derive(seed, epoch, i) % (i + 1));
            (_order[i], _order[j]) = (_order[j], _order[i]);
        }

        _epoch = epoch;
    }
}
