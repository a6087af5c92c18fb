namespace FewStep.Solvers;

/// <summary>Weights of the Adams-Bashforth methods, h c_j in x_(i+1) = x_i + h sum_j c_j d_(i-j) with slopes d, newest first.</summary>
internal static class AdamsBashforth
{
    private static readonly double[][] Uniform =
    [
        [1],
        [3.0 / 2, -1.0 / 2],
        [23.0 / 12, -16.0 / 12, 5.0 / 12],
        [55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24],
    ];

    public static double[] Fixed(double[] sigmas, double next) => Scaled(Uniform[sigmas.Length - 1], sigmas, next);

    /// <summary>For any steps: the integral of the polynomial in sigma through the slopes.</summary>
    public static double[] Variable(double[] sigmas, double next)
    {
        double s = sigmas[0], h = next - s;
        double[] weights = LagrangeWeights.Integrate(sigmas, v => v, _ => 1, s, next);
        return Scaled(Array.ConvertAll(weights, w => w / h), sigmas, next);
    }

    /// <summary>
    /// For any steps, as in the reference implementation of iPNDM-v. In Newton's form its weights of the scaled second and third
    /// differences of the slopes are other than the integrals at unequal steps; at equal steps all agree with <see cref="Fixed"/>.
    /// </summary>
    public static double[] PublishedVariable(double[] sigmas, double next) => Scaled(PublishedFactors(sigmas, next), sigmas, next);

    private static double[] PublishedFactors(double[] sigmas, double next)
    {
        int order = sigmas.Length;
        var c = new double[order];
        c[0] = 1;
        if (order == 1)
            return c;
        double h = next - sigmas[0], h1 = sigmas[0] - sigmas[1];
        c[0] += h / (2 * h1);
        c[1] = -h / (2 * h1);
        if (order == 2)
            return c;
        double h2 = sigmas[1] - sigmas[2], p = h1 / h2;
        // The integral would give (1 - h / (3 (h + h1))) h (h + h1) / (2 h1 (h1 + h2)).
        double second = (1 - h * h / (3 * h1 * (h1 + h2))) / 2;
        c[0] += second;
        c[1] -= (1 + p) * second;
        c[2] = p * second;
        if (order == 3)
            return c;
        double h3 = sigmas[2] - sigmas[3], q = h1 * (h1 + h2) / (h2 * (h2 + h3));
        double third = ((1 - h / (3 * (h + h1))) / 2 + (1 - h / (2 * (h + h1))) * h / (6 * (h + h1 + h2)))
            * (h * (h + h1) * (h + h1 + h2)) / (h1 * (h1 + h2) * (h1 + h2 + h3));
        c[0] += third;
        c[1] -= (1 + p + q) * third;
        c[2] += (p + q * (1 + h2 / h3)) * third;
        c[3] = -q * p * third; // a third difference has h2 / h3 in place of p
        return c;
    }

    private static double[] Scaled(double[] factors, double[] sigmas, double next)
        => Array.ConvertAll(factors, c => (next - sigmas[0]) * c);
}
