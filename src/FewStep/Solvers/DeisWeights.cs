namespace FewStep.Solvers;

/// <summary>Weights of DEIS in its tAB form: integrals over sigma of the polynomial, in the time t of linear VP diffusion, through past
/// slopes (Zhang and Chen 2023, equation 15).</summary>
internal static class DeisWeights
{
    private const int PublishedPoints = 10_000;

    // The VP process with sigma = 0.002 at t = 0.001 and 80 at t = 1: EDM's range whatever the schedule's, as in the reference. Its times
    // go on beyond 1.
    private static readonly LinearVpNoise Noise = LinearVpNoise.Between(0.002, 80);

    public static double[] Exact(double[] sigmas, double next) => sigmas.Length == 1 ? Euler(sigmas[0], next)
        : LagrangeWeights.Integrate(Times(sigmas), v => Noise.Time(Math.Exp(v)), Math.Exp, Math.Log(sigmas[0]), Math.Log(next));

    /// <summary>The integrals by the reference's quadrature: the sum over 10,000 points that hold both ends, times a ten-thousandth of the
    /// step.</summary>
    public static double[] Published(double[] sigmas, double next)
    {
        if (sigmas.Length == 1)
            return Euler(sigmas[0], next);
        double[] nodes = Times(sigmas);
        double t0 = nodes[0], t1 = Noise.Time(next);
        var weights = new double[nodes.Length];
        for (int k = 0; k < PublishedPoints; k++)
        {
            double t = t0 + (t1 - t0) * k / (PublishedPoints - 1);
            double s = Noise.Sigma(t);
            double slope = (Noise.BetaMin + Noise.BetaD * t) * (1 + s * s) / (2 * s); // d sigma / dt
            for (int j = 0; j < nodes.Length; j++)
                weights[j] += slope * LagrangeWeights.Basis(nodes, j, t);
        }

        return Array.ConvertAll(weights, w => w * (t1 - t0) / PublishedPoints);
    }

    private static double[] Euler(double sigma, double next) => [next - sigma]; // in every implementation

    private static double[] Times(double[] sigmas) => Array.ConvertAll(sigmas, Noise.Time);
}
