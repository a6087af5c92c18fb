namespace FewStep.Search;

/// <summary>The discretization loss of a schedule with its first and second derivatives by the logarithms u_i = ln s_i of the inner noise
/// levels.</summary>
internal sealed class StationarityPoint
{
    private readonly ILossCurve _curve;
    private readonly INoiseWeighting _weighting;
    private readonly double[] _g;
    private readonly double[] _l;
    private readonly double[] _gradient;
    private readonly double[] _scale;

    public StationarityPoint(ILossCurve curve, INoiseWeighting weighting, double[] sigmas)
    {
        (_curve, _weighting, Sigmas) = (curve, weighting, sigmas);
        _g = Array.ConvertAll(sigmas, weighting.Value);
        _l = Array.ConvertAll(sigmas, curve.Loss);
        int inner = sigmas.Length - 2;
        _gradient = new double[inner];
        _scale = new double[inner];
        for (int i = 1; i <= inner; i++)
        {
            (double pull, double push) = Forces(i, sigmas[i], _g[i], _l[i]);
            _gradient[i - 1] = push - pull;
            _scale[i - 1] = push + pull;
            if (_scale[i - 1] > 0)
                Residual = Math.Max(Residual, Math.Abs(_gradient[i - 1]) / _scale[i - 1]);
        }

        Loss = DiscretizationLoss.Sum(curve, weighting, sigmas);
    }

    public double[] Sigmas { get; }
    public double Loss { get; }

    /// <summary>Largest |difference of the two sides| of the stationarity equations over their sum.</summary>
    public double Residual { get; }

    /// <summary>The Newton direction in u for the inner noise levels, with <paramref name="damping"/> times the terms' sizes added to the
    /// diagonal; null where the matrix is not positive definite.</summary>
    public double[]? NewtonDirection(double damping)
    {
        int n = _gradient.Length;
        var direction = new double[n];
        var upper = new double[n]; // off-diagonal of the factor, scaled by the pivot
        double previousPivot = 0;
        double previousOff = 0;
        for (int k = 0; k < n; k++)
        {
            double pivot = Curvature(k + 1) + (damping * _scale[k]) - (k == 0 ? 0 : previousOff * previousOff / previousPivot);
            if (!(pivot > 0))
                return null;

            // d2J / du_i du_{i+1} = s_i s_{i+1} g'(s_{i+1}) L'(s_i)
            double off = k == n - 1 ? 0
                : Sigmas[k + 1] * Sigmas[k + 2] * _weighting.Derivative(Sigmas[k + 2]) * _curve.Derivative(Sigmas[k + 1]);
            direction[k] = (-_gradient[k] - (k == 0 ? 0 : previousOff * direction[k - 1])) / pivot;
            upper[k] = off / pivot;
            (previousPivot, previousOff) = (pivot, off);
        }

        for (int k = n - 2; k >= 0; k--)
            direction[k] -= upper[k] * direction[k + 1];
        return Array.TrueForAll(direction, double.IsFinite) ? direction : null;
    }

    // The two sides of the stationarity equation times s_i, both at least 0: dJ/du_i = push - pull.
    private (double Pull, double Push) Forces(int i, double s, double g, double l) =>
        (s * -_weighting.Derivative(s) * (_l[i - 1] - l), s * (_g[i + 1] - g) * _curve.Derivative(s));

    // d2J/du_i^2 by a central difference of the gradient: neither weightings nor curves are asked for second derivatives.
    private double Curvature(int i)
    {
        double gap = Math.Log(Math.Min(Sigmas[i - 1] / Sigmas[i], Sigmas[i] / Sigmas[i + 1]));
        double h = Math.Min(1e-5, gap / 4);
        return (Slope(i, Sigmas[i] * Math.Exp(h)) - Slope(i, Sigmas[i] * Math.Exp(-h))) / (2 * h);
    }

    private double Slope(int i, double s)
    {
        (double pull, double push) = Forces(i, s, _weighting.Value(s), _curve.Loss(s));
        return push - pull;
    }
}
