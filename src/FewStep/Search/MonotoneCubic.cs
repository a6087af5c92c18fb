namespace FewStep.Search;

/// <summary>Piecewise cubic Hermite interpolation of non-decreasing data that stays non-decreasing between the points, with a continuous
/// derivative.</summary>
/// <remarks>Slopes start as the three-point parabola's and are limited as in Fritsch and Carlson, "Monotone Piecewise Cubic Interpolation",
/// SIAM J. Numer. Anal. 17 (1980).</remarks>
internal sealed class MonotoneCubic
{
    private readonly double[] _x;
    private readonly double[] _y;
    private readonly double[] _slope;

    public MonotoneCubic(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (x.Length < 2 || x.Length != y.Length)
        {
            throw new ArgumentException(
                $"Interpolation needs at least 2 points and as many values; there are {x.Length} and {y.Length}.", nameof(x));
        }

        for (int k = 0; k < x.Length; k++)
        {
            if (!double.IsFinite(x[k]) || !double.IsFinite(y[k]) || (k > 0 && (!(x[k] > x[k - 1]) || y[k] < y[k - 1])))
                throw new ArgumentException($"Points must rise and values must not fall: x[{k}] = {x[k]}, y[{k}] = {y[k]}.", nameof(y));
        }

        _x = x.ToArray();
        _y = y.ToArray();
        _slope = Slopes(_x, _y);
    }

    /// <summary>The interpolant; constant beyond the first and last point.</summary>
    public double Value(double x)
    {
        int k = Interval(x);
        double h = _x[k + 1] - _x[k];
        double t = Math.Clamp((x - _x[k]) / h, 0, 1);
        // Written from the interval's lower value so that rounding cannot make a flat interval fall.
        double rise = _y[k + 1] - _y[k];
        double bend = t * (1 - t) * (((1 - t) * _slope[k]) - (t * _slope[k + 1])) * h;
        return Math.Clamp(_y[k] + (t * t * (3 - (2 * t)) * rise) + bend, _y[k], _y[k + 1]);
    }

    /// <summary>The interpolant's derivative, never below 0; 0 beyond the first and last point.</summary>
    public double Derivative(double x)
    {
        if (x < _x[0] || x > _x[^1])
            return 0;
        int k = Interval(x);
        double h = _x[k + 1] - _x[k];
        double t = (x - _x[k]) / h;
        double secant = (_y[k + 1] - _y[k]) / h;
        return Math.Max(0, (6 * t * (1 - t) * secant) + ((1 - t) * (1 - (3 * t)) * _slope[k]) + (t * ((3 * t) - 2) * _slope[k + 1]));
    }

    private int Interval(double x)
    {
        int found = Array.BinarySearch(_x, x);
        return Math.Clamp(found >= 0 ? found : ~found - 1, 0, _x.Length - 2);
    }

    private static double[] Slopes(double[] x, double[] y)
    {
        int n = x.Length;
        var h = new double[n - 1];
        var secant = new double[n - 1];
        for (int k = 0; k < n - 1; k++)
        {
            h[k] = x[k + 1] - x[k];
            secant[k] = (y[k + 1] - y[k]) / h[k];
        }

        var m = new double[n];
        if (n == 2)
        {
            m[0] = m[1] = secant[0];
            return m;
        }

        m[0] = Math.Max(0, secant[0] + ((secant[0] - secant[1]) * h[0] / (h[0] + h[1])));
        m[^1] = Math.Max(0, secant[^1] + ((secant[^1] - secant[^2]) * h[^1] / (h[^1] + h[^2])));
        for (int k = 1; k < n - 1; k++)
            m[k] = ((h[k] * secant[k - 1]) + (h[k - 1] * secant[k])) / (h[k - 1] + h[k]);
        for (int k = 0; k < n - 1; k++)
        {
            double size = Math.Sqrt((m[k] * m[k]) + (m[k + 1] * m[k + 1]));
            if (size > 3 * secant[k])
            {
                double limit = 3 * secant[k] / size;
                m[k] *= limit;
                m[k + 1] *= limit;
            }
        }

        return m;
    }
}
