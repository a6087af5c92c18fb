namespace FewStep.Search;

/// <summary>How many steps a unit of sigma gets where their errors at the end have the inner products K: the fixed point of rho(s)^2 ~
/// integral K(s, t) / rho(t) dt.</summary>
internal sealed class StepDensity
{
    private const int Iterations = 500;
    private const int Parts = 32; // of a cell
    private const double Clip = 1e-12;
    private readonly List<(double Sigma, double Share)> _cumulative = [];

    /// <param name="sigmas">Ends of the cells, decreasing.</param>
    /// <param name="kernel">K of the cells.</param>
    public StepDensity(IReadOnlyList<double> sigmas, double[][] kernel)
    {
        double[] width = [.. sigmas.Zip(sigmas.Skip(1), (a, b) => a - b)];
        double[] density = Fixed(width, kernel);
        // The curvature counts a third below the cell's start, and is carried from its end: for Gaussian data together from its middle.
        double[] place = [.. sigmas.Zip(width, (s, h) => Math.Log(s - (h / 2)))];
        double Log(double sigma)
        {
            double u = Math.Log(sigma);
            int k = Math.Clamp(Array.FindIndex(place, p => p < u) - 1, 0, place.Length - 2);
            if (place[^1] >= u)
                k = place.Length - 2;

            double slope = (Math.Log(density[k + 1]) - Math.Log(density[k])) / (place[k + 1] - place[k]);
            return Math.Log(density[k]) + (slope * (u - place[k]));
        }

        double sum = 0, before = Math.Exp(Log(sigmas[0]));
        _cumulative.Add((sigmas[0], 0));
        for (int m = 0; m < width.Length; m++)
        {
            for (int part = 1; part <= Parts; part++)
            {
                double sigma = part == Parts ? sigmas[m + 1] : sigmas[m] - (width[m] * part / Parts), here = Math.Exp(Log(sigma));
                sum += (before + here) / 2 * width[m] / Parts;
                before = here;
                _cumulative.Add((sigma, sum));
            }
        }
    }

    /// <summary>N+1 sigmas with equal shares of the density between them.</summary>
    public double[] Quantiles(int steps)
    {
        var sigmas = new double[steps + 1];
        (sigmas[0], sigmas[^1]) = (_cumulative[0].Sigma, _cumulative[^1].Sigma);
        for (int i = 1, at = 1; i < steps; i++)
        {
            double share = _cumulative[^1].Share * i / steps;
            while (_cumulative[at].Share < share)
                at++;

            var (low, high) = (_cumulative[at - 1], _cumulative[at]);
            sigmas[i] = low.Sigma + ((high.Sigma - low.Sigma) * (share - low.Share) / (high.Share - low.Share));
        }

        return sigmas;
    }

    // A damped iteration, which needs no good start.
    private static double[] Fixed(double[] width, double[][] kernel)
    {
        double[] density = [.. width.Select(h => 1 / h)];
        for (int i = 0; i < Iterations; i++)
        {
            double[] square = [.. kernel.Select(row => row.Select((k, l) => k * width[l] / density[l]).Sum())];
            double least = Clip * square.Max();
            double[] next = [.. square.Select((s, m) => Math.Sqrt(density[m] * Math.Sqrt(Math.Max(s, least))))];
            double total = next.Zip(width, (d, h) => d * h).Sum();
            density = [.. next.Select(d => d / total)];
        }

        return density;
    }
}
