namespace FewStep.Metrics;

/// <summary>How well generated images lie among real ones and cover them, by nearest neighbours in feature space. Each image has a ball
/// around it that reaches to its k-th nearest neighbour in its own set.</summary>
internal sealed record NeighbourMetrics(double Precision, double Recall, double Density, double Coverage)
{
    private const long BlockBytes = 1 << 27;

    /// <summary>Measures in float64, in blocks of rows: memory grows with the number of images, time with its square.</summary>
    /// <param name="real">Features [n,d] of real images, any floating type; not changed and not disposed.</param>
    /// <param name="generated">Features [m,d]; not changed and not disposed.</param>
    /// <param name="blockBytes">Limit on the distances in memory.</param>
    public static NeighbourMetrics Between(Tensor real, Tensor generated, int manifoldNeighbours = 3, int coverageNeighbours = 5,
        long blockBytes = BlockBytes, CancellationToken cancellation = default)
    {
        if (real.dim() != 2 || generated.dim() != 2 || real.shape[1] != generated.shape[1])
        {
            throw new ArgumentException($"Features must be two sets [n,d], not [{string.Join(',', real.shape)}] and "
                + $"[{string.Join(',', generated.shape)}].", nameof(generated));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(manifoldNeighbours, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(coverageNeighbours, 1);
        long n = real.shape[0], m = generated.shape[0], needed = Math.Max(manifoldNeighbours, coverageNeighbours) + 1;
        if (n < needed || m < needed)
        {
            throw new InvalidInputException($"Precision, recall, density and coverage need {needed} or more images on either side, not {n} "
                + $"real and {m} generated ones.");
        }

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        Tensor radii = Radii(real, [manifoldNeighbours, coverageNeighbours], blockBytes, cancellation);
        Tensor reach = Radii(generated, [manifoldNeighbours], blockBytes, cancellation);
        Tensor recalled = zeros(n, dtype: ScalarType.Bool);
        Tensor nearest = TensorArithmetic.Full([n], double.PositiveInfinity, ScalarType.Float64);
        double precise = 0, dense = 0;
        foreach (var (start, count) in Blocks(m, n, blockBytes))
        {
            cancellation.ThrowIfCancellationRequested();
            using var block = NewDisposeScope();
            var distances = SquaredDistances(generated.narrow(0, start, count), real);
            precise += distances.le(radii[0]).any(1).sum().AsDouble();
            dense += distances.le(radii[1]).sum().AsDouble();
            recalled.logical_or_(distances.le(reach[0].narrow(0, start, count).unsqueeze(1)).any(0));
            nearest.copy_(minimum(nearest, distances.amin([0])));
        }

        return new(precise / m, recalled.sum().AsDouble() / n, dense / (coverageNeighbours * (double)m),
            nearest.le(radii[1]).sum().AsDouble() / n);
    }

    // Squared distance of each row to its k-th nearest other row: [ks, n].
    private static Tensor Radii(Tensor x, long[] ks, long blockBytes, CancellationToken cancellation)
    {
        long n = x.shape[0];
        var radii = empty([ks.Length, n], dtype: ScalarType.Float64);
        using var never = TensorArithmetic.Number(double.PositiveInfinity);
        foreach (var (start, count) in Blocks(n, n, blockBytes))
        {
            cancellation.ThrowIfCancellationRequested();
            using var block = NewDisposeScope();
            var distances = SquaredDistances(x.narrow(0, start, count), x);
            distances.narrow(1, start, count).diagonal().fill_(never); // an image is no neighbour of itself
            var (smallest, _) = distances.topk((int)ks.Max(), 1, largest: false, sorted: true);
            for (int i = 0; i < ks.Length; i++)
                radii[i].narrow(0, start, count).copy_(smallest.select(1, ks[i] - 1));
        }

        return radii;
    }

    private static Tensor SquaredDistances(Tensor x, Tensor y)
    {
        Tensor a = x.to(ScalarType.Float64), b = y.to(ScalarType.Float64);
        return (a.Squared().sum(1, keepdim: true).Plus(b.Squared().sum(1).unsqueeze(0)) - a.mm(b.t()).Times(2))
            .clamp_min(TensorArithmetic.Zero);
    }

    private static IEnumerable<(long Start, long Count)> Blocks(long rows, long columns, long blockBytes)
    {
        long size = Math.Clamp(blockBytes / (sizeof(double) * columns), 1, rows);
        for (long start = 0; start < rows; start += size)
            yield return (start, Math.Min(size, rows - start));
    }
}
