namespace FewStep.Metrics;

/// <summary>The kernel distance of two sets of features: the unbiased squared maximum mean discrepancy with the kernel (x.y / d + 1)^3,
/// averaged over random subsets (Binkowski et al. 2018, KID).</summary>
/// <remarks>Unlike a Fréchet distance it has no bias that falls with the number of images, so values at different numbers compare; it may
/// be slightly negative.</remarks>
internal static class KernelDistance
{
    /// <param name="a">Features [n,d], 2 or more rows, any floating type; not changed and not disposed.</param>
    /// <param name="b">Features [m,d], 2 or more rows; not changed and not disposed.</param>
    /// <returns>Mean over the subsets, computed in float64, and their sample standard deviation; null for a single subset.</returns>
    public static MetricValue Between(Tensor a, Tensor b, int subsets, int size, long seed, CancellationToken cancellation = default)
    {
        if (a.dim() != 2 || b.dim() != 2 || a.shape[1] != b.shape[1] || a.shape[0] < 2 || b.shape[0] < 2)
        {
            throw new ArgumentException($"Features must be two sets [n,d] of 2 or more, not [{string.Join(',', a.shape)}] and "
                + $"[{string.Join(',', b.shape)}].", nameof(b));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(subsets, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 2);
        using var _ = no_grad();
        int rows = (int)Math.Min(size, Math.Min(a.shape[0], b.shape[0]));
        int count = rows == a.shape[0] && rows == b.shape[0] ? 1 : subsets;
        var values = new List<double>();
        for (int s = 0; s < count; s++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            values.Add(SquaredDiscrepancy(Choose(a, rows, SeedHash.Derive(seed, s, 0)), Choose(b, rows, SeedHash.Derive(seed, s, 1))));
        }

        var spread = SeedRangeSpread.Of(values);
        return new(spread.Mean, spread.StandardDeviation);
    }

    // Gretton et al. (2012), equation 3: pairs of one set leave out the pairs of an image with itself.
    private static double SquaredDiscrepancy(Tensor x, Tensor y)
    {
        double n = x.shape[0];
        Tensor xx = Kernel(x, x), yy = Kernel(y, y), xy = Kernel(x, y);
        double within = ((xx.sum() - xx.trace()).Plus(yy.sum()) - yy.trace()).AsDouble() / (n * (n - 1));
        return within - (2 * xy.mean().AsDouble());
    }

    private static Tensor Kernel(Tensor x, Tensor y)
    {
        using var exponent = TensorArithmetic.Number(3);
        return x.mm(y.t()).Over(x.shape[1]).Plus(1).pow(exponent);
    }

    // The first steps of a Fisher-Yates shuffle.
    private static Tensor Choose(Tensor features, int rows, long seed)
    {
        long total = features.shape[0];
        long[] order = [.. Enumerable.Range(0, (int)total).Select(i => (long)i)];
        for (int i = 0; i < rows && rows < total; i++)
        {
            long j = i + (SeedHash.Derive(seed, i) % (total - i));
            (order[i], order[j]) = (order[j], order[i]);
        }

        return features.index_select(0, tensor(order[..rows])).to(ScalarType.Float64);
    }
}
