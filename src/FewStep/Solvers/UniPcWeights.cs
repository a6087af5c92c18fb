using MathNet.Numerics.LinearAlgebra;

namespace FewStep.Solvers;

/// <summary>Weights of UniPC's predictor and corrector: they match the Taylor series of the exponential integral (Zhao et al. 2023,
/// equations 3 and 5, appendix C).</summary>
internal static class UniPcWeights
{
    /// <summary>Weights of the outputs at hand, newest first; to be multiplied by the step's output weight.</summary>
    public static double[] Predictor(ExponentialStep step, ReadOnlySpan<double> positions, UniPcVariant variant)
    {
        double scale = Scale(step, variant);
        double[] rho = positions.Length switch
        {
            0 => [],
            1 => [0.5], // at order 2 any B(h) allows the constant, and the paper takes it
            _ => Solve(step, [.. positions], scale),
        };
        return Combine(step, positions, rho, scale);
    }

    /// <summary>Weights of the outputs at hand, and last that of the output at the step's end.</summary>
    public static double[] Corrector(ExponentialStep step, ReadOnlySpan<double> positions, UniPcVariant variant)
    {
        double scale = Scale(step, variant);
        double[] all = [.. positions, 1];
        return Combine(step, all, positions.IsEmpty ? [0.5] : Solve(step, all, scale), scale);
    }

    // B(h) / h, in which everything is written so that h may be small.
    private static double Scale(ExponentialStep step, UniPcVariant variant) => variant == UniPcVariant.Bh1 ? 1 : step.Phi(1);

    // sum_k rho_k r_k^i = (i + 1)! phi_(i+2)(z) / scale for i = 0, 1, ...: a polynomial is integrated exactly.
    private static double[] Solve(ExponentialStep step, double[] r, double scale)
    {
        int n = r.Length;
        var powers = Matrix<double>.Build.Dense(n, n, (i, k) => Math.Pow(r[k], i));
        double factorial = 1;
        var moments = new double[n];
        for (int i = 0; i < n; i++)
        {
            factorial *= i + 1;
            moments[i] = factorial * step.Phi(i + 2) / scale;
        }

        return powers.Solve(Vector<double>.Build.Dense(moments)).ToArray();
    }

    // phi_1 m_0 + scale sum_k rho_k (m_k - m_0) / r_k, as weights of the m
    private static double[] Combine(ExponentialStep step, ReadOnlySpan<double> r, double[] rho, double scale)
    {
        var weights = new double[rho.Length + 1];
        weights[0] = step.Phi(1);
        for (int k = 0; k < rho.Length; k++)
        {
            double w = scale * rho[k] / r[k];
            weights[k + 1] = w;
            weights[0] -= w;
        }

        return weights;
    }
}
