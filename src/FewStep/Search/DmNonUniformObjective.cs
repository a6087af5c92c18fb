namespace FewStep.Search;

/// <summary>
/// The bound that DM-NonUniform minimises (Xue et al. 2024, arXiv 2402.17376): each error of the denoiser's output, times its weight in the
/// multistep solver's end, added up.
/// </summary>
/// <remarks>
/// A step i of order k adds to x / sigma the integral of e^lambda times the polynomial through the last k outputs (lambda = -ln sigma); the
/// first steps and the last ones are of lower order, as many as there are nodes on either side. The error of an output is modelled as
/// sigma_VP^p / alpha_VP, which in sigma is s^p (1 + s^2)^((1 - p) / 2). As in the authors' program the weights of one output in several
/// steps are added with their signs before their size counts, but for the first and the last step, whose terms count alone, and the two
/// steps after the first, which count as the root of their squares.
/// </remarks>
internal sealed class DmNonUniformObjective(int order, double power)
{
    private const int UnsignedSteps = 3; // of the authors' program: "to avoid numerical instability"

    /// <summary>The modelled error of the denoiser's output at a noise level.</summary>
    public double Error(double sigma) => Math.Pow(sigma, power) * Math.Pow(1 + (sigma * sigma), 0.5 * (1 - power));

    public double Evaluate(ReadOnlySpan<double> lambdas)
    {
        int n = lambdas.Length - 1;
        var signed = new double[n];
        var errors = new double[n];
        Span<double> weights = stackalloc double[order];
        double total = 0;
        for (int i = 0; i < n; i++)
        {
            errors[i] = Error(Math.Exp(-lambdas[i]));
            int k = Math.Min(order, Math.Min(i + 1, n - i));
            int first = i - k + 1;
            LagrangeExponential.Weights(lambdas[i], lambdas[i + 1], lambdas.Slice(first, k), weights[..k]);
            double scale = Math.Exp(lambdas[i + 1]), squares = 0;
            bool alone = i == 0 || i == n - 1 || i < UnsignedSteps;
            for (int j = 0; j < k; j++)
            {
                double term = scale * weights[j] * errors[first + j];
                squares += term * term;
                signed[first + j] += alone ? 0 : term;
            }

            total += alone ? Math.Sqrt(squares) : 0;
        }

        foreach (double sum in signed)
            total += Math.Abs(sum);
        return total;
    }
}
