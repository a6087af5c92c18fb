using MathNet.Numerics.Integration;

namespace FewStep.Search;

/// <summary>
/// The weights of exponential multistep methods in lambda = -ln sigma: x / sigma changes by the integral of e^lambda D d lambda, and D is
/// replaced by the polynomial through its values at some nodes (DPM-Solver++, UniPC, DEIS).
/// </summary>
internal static class LagrangeExponential
{
    // Gauss points that are exact to rounding up to steps of 1.5 and 12 in lambda; unlike the closed forms they lose no digits for small
    // steps.
    private static readonly GaussLegendreRule Short = new(-1, 1, 8);
    private static readonly GaussLegendreRule Long = new(-1, 1, 16);

    /// <summary>Integrals of e^(lambda - to) l_j(lambda) from <paramref name="from"/> to <paramref name="to"/>, where l_j is the Lagrange
    /// polynomial of node j. They add up to 1 - e^(from - to).</summary>
    public static void Weights(double from, double to, ReadOnlySpan<double> nodes, Span<double> weights)
    {
        weights.Clear();
        var rule = to - from <= 1.5 ? Short : Long;
        double half = 0.5 * (to - from);
        for (int q = 0; q < rule.Order; q++)
        {
            double lambda = from + (half * (1 + rule.GetAbscissa(q)));
            double mass = half * rule.GetWeight(q) * Math.Exp(lambda - to);
            for (int j = 0; j < nodes.Length; j++)
            {
                double l = 1;
                for (int m = 0; m < nodes.Length; m++)
                {
                    if (m != j)
                        l *= (lambda - nodes[m]) / (nodes[j] - nodes[m]);
                }

                weights[j] += mass * l;
            }
        }
    }
}
