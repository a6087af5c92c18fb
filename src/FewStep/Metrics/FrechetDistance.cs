namespace FewStep.Metrics;

/// <summary>The Fréchet distance of two Gaussians fitted to features: "FID" on Inception-v3's features (Heusel et al. 2017, equation 6),
/// "FD" on any other's.</summary>
internal static class FrechetDistance
{
    /// <summary>|m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)), in float64.</summary>
    /// <remarks>
    /// With S = R R^T for each, the eigenvalues of S_a S_b are the squared singular values of R_a^T R_b, so the trace of the root is the
    /// sum of those singular values: no root of a product and no regularisation is needed, and a singular covariance (fewer images than
    /// features) is exact rather than shifted by a small diagonal.
    /// </remarks>
    public static double Between(FeatureStatistics a, FeatureStatistics b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.Dimension != b.Dimension)
            throw new ArgumentException($"Features of dimension {a.Dimension} and {b.Dimension} cannot be compared.", nameof(b));
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Tensor sa = a.Covariance(), sb = b.Covariance();
        Tensor ra = Factor(sa), rb = Factor(sb);
        double means = (a.Mean() - b.Mean()).Squared().sum().AsDouble();
        double traces = sa.trace().AsDouble() + sb.trace().AsDouble();
        double root = ra.shape[1] == 0 || rb.shape[1] == 0 ? 0 : linalg.svdvals(ra.t().mm(rb)).sum().AsDouble();
        return Math.Max(0, means + traces - (2 * root));
    }

    private const double MachineEpsilon = 2.220446049250313e-16;

    // R [d,r] with S = R R^T. Eigenvalues within rounding of zero are no rank: their roots would add noise of the order of 1e-8 each.
    private static Tensor Factor(Tensor s)
    {
        var (values, vectors) = linalg.eigh(s);
        using var floor = TensorArithmetic.Number(s.shape[0] * MachineEpsilon * values.abs().max().AsDouble());
        long rank = values.gt(floor).sum().AsInt64();
        long first = s.shape[0] - rank; // eigh sorts upwards
        return vectors.narrow(1, first, rank) * values.narrow(0, first, rank).sqrt();
    }
}
