using MathNet.Numerics.Integration;

namespace FewStep.Solvers;

/// <summary>Weights of a quadrature that integrates the polynomial through past outputs: integrals of the Lagrange basis, by Gauss-Legendre
/// quadrature.</summary>
internal static class LagrangeWeights
{
    // Enough for rounding accuracy over six decades of sigma in its logarithm, where the integrand's poles lie at distance pi / 2.
    private static readonly GaussLegendreRule Rule = new(-1, 1, 128);
    private static readonly double[] Abscissas = Rule.Abscissas;
    private static readonly double[] Weights = Rule.Weights;

    /// <summary>w_j = integral over v of L_j(time(v)) density(v).</summary>
    public static double[] Integrate(
        ReadOnlySpan<double> nodes, Func<double, double> time, Func<double, double> density, double from, double to)
    {
        var weights = new double[nodes.Length];
        double half = (to - from) / 2, middle = (to + from) / 2;
        for (int k = 0; k < Abscissas.Length; k++)
        {
            double v = middle + half * Abscissas[k];
            double t = time(v), w = half * Weights[k] * density(v);
            for (int j = 0; j < nodes.Length; j++)
                weights[j] += w * Basis(nodes, j, t);
        }

        return weights;
    }

    /// <summary>L_j(t): 1 at node j, 0 at the others.</summary>
    public static double Basis(ReadOnlySpan<double> nodes, int j, double t)
    {
        double product = 1;
        for (int k = 0; k < nodes.Length; k++)
        {
            if (k != j)
                product *= (t - nodes[k]) / (nodes[j] - nodes[k]);
        }

        return product;
    }
}
