using MathNet.Numerics.Integration;
using MathNet.Numerics.Interpolation;

namespace FewStep.Search;

/// <summary>The weighting of a measured amplification A: g'(sigma) = -A(sigma) / sigma, so an error made at sigma counts as much as the
/// model's own flow lets it grow on its way to the end.</summary>
/// <remarks>
/// ln A is interpolated over ln sigma by Akima's cubic (J. ACM 17, 1970), so A stays above 0 and is smooth; beyond the measured range it is
/// constant. g is the integral of that interpolant to rounding, 0 at the largest measured noise level. A = 1 gives power 0.
/// </remarks>
internal sealed class MeasuredAmplificationWeighting : INoiseWeighting
{
    private static readonly GaussLegendreRule Rule = new(-1, 1, 12);
    private readonly double[] _u; // -ln sigma, rising
    private readonly double[] _g; // g at each
    private readonly CubicSpline _logAmplification;

    public MeasuredAmplificationWeighting(IReadOnlyList<double> sigmas, IReadOnlyList<double> amplification)
    {
        if (sigmas.Count < 5 || sigmas.Count != amplification.Count)
        {
            throw new ArgumentException($"An amplification needs 5 or more noise levels and as many values; there are {sigmas.Count} and "
                + $"{amplification.Count}.", nameof(amplification));
        }

        for (int k = 0; k < sigmas.Count; k++)
        {
            if (!(sigmas[k] > 0) || !double.IsFinite(sigmas[k]) || (k > 0 && !(sigmas[k] < sigmas[k - 1])) || !(amplification[k] > 0)
                || !double.IsFinite(amplification[k]))
            {
                throw new ArgumentException($"Noise levels must fall and both numbers be finite and above 0: sigma[{k}] = {sigmas[k]}, "
                    + $"A[{k}] = {amplification[k]}.", nameof(amplification));
            }
        }

        _u = [.. sigmas.Select(s => -Math.Log(s))];
        _logAmplification = CubicSpline.InterpolateAkimaSorted(_u, [.. amplification.Select(a => Math.Log(a))]);
        _g = new double[_u.Length];
        for (int k = 1; k < _u.Length; k++)
            _g[k] = _g[k - 1] + Integral(_u[k - 1], _u[k]);
    }

    public string Name => "amplification";
    public double Amplification(double sigma) => At(-Math.Log(sigma));

    public double Value(double sigma)
    {
        double u = -Math.Log(sigma);
        double inside = Math.Clamp(u, _u[0], _u[^1]);
        int found = Array.BinarySearch(_u, inside);
        int k = found >= 0 ? found : ~found - 1;
        return _g[k] + Integral(_u[k], inside) + ((u - inside) * At(inside));
    }

    public double Derivative(double sigma) => -Amplification(sigma) / sigma;
    private double At(double u) => Math.Exp(_logAmplification.Interpolate(Math.Clamp(u, _u[0], _u[^1])));

    private double Integral(double from, double to)
    {
        double half = 0.5 * (to - from), sum = 0;
        for (int q = 0; q < Rule.Order; q++)
            sum += Rule.Weights[q] * At(from + (half * (1 + Rule.Abscissas[q])));
        return half * sum;
    }
}
