namespace FewStep.Solvers;

/// <summary>The functions of exponential integrators: phi_0(z) = e^z, phi_(k+1)(z) = (phi_k(z) - 1/k!) / z (Hochbruck and Ostermann 2010,
/// equation 2.10).</summary>
internal static class PhiFunctions
{
    /// <summary>phi_k(z) = sum_j z^j / (j + k)!, to rounding.</summary>
    public static double Phi(int k, double z)
    {
        double factorial = 1; // k!
        if (Math.Abs(z) < 1)
        {
            // The recursion would subtract nearly equal numbers.
            for (int j = 2; j <= k; j++)
                factorial *= j;
            double term = 1 / factorial, sum = term;
            for (int j = 1; Math.Abs(term) > 1e-18; j++)
            {
                term *= z / (j + k);
                sum += term;
            }

            return sum;
        }

        double phi = Math.Exp(z);
        for (int j = 0; j < k; j++)
        {
            factorial *= Math.Max(j, 1);
            phi = (phi - 1 / factorial) / z;
        }

        return phi;
    }
}
