namespace FewStep.Search;

/// <summary>
/// A quadratic model of a least-squares value around a point from two probes a coordinate: gradient and diagonal curvature by central
/// differences of the value itself, the curvature's other entries by Gauss and Newton from the differences of the residuals, corrected by
/// how the gradient changed since the last model.
/// </summary>
/// <remarks>
/// The residuals at the best schedule are far from zero, so Gauss and Newton's matrix alone would be wrong. What it lacks is learnt as in
/// Dennis, Gay and Welsch's NL2SOL: a matrix of least change (Powell's symmetric form) that explains the gradients' difference; its
/// diagonal is known from the probes.
/// </remarks>
internal sealed class ProbeModel
{
    private readonly double[] _position;
    private readonly double[] _gradient;
    private readonly double[,] _gaussNewton;
    private readonly double[,] _rest; // curvature less Gauss and Newton's

    private ProbeModel(double[] position, double[] gradient, double[,] gaussNewton, double[,] rest)
        => (_position, _gradient, _gaussNewton, _rest) = (position, gradient, gaussNewton, rest);

    public static ProbeModel From(LeastSquaresPoint center, double[] widths, IReadOnlyList<LeastSquaresPoint> up,
        IReadOnlyList<LeastSquaresPoint> down, ProbeModel? previous)
    {
        using var scope = NewDisposeScope();
        int n = widths.Length;
        var gradient = new double[n];
        var gaussNewton = new double[n, n];
        var rest = previous is null ? new double[n, n] : (double[,])previous._rest.Clone();
        var slopes = new Tensor[n];
        for (int k = 0; k < n; k++)
        {
            double h = widths[k];
            gradient[k] = (up[k].Value - down[k].Value) / (2 * h);
            slopes[k] = (up[k].Residuals - down[k].Residuals).Over(2 * h);
            // one reading for all
            double[] products = stack([.. slopes[..(k + 1)].Select(slope => (slopes[k] * slope).mean([], type: float64))]).cpu()
                .data<double>().ToArray();
            for (int l = 0; l <= k; l++)
                gaussNewton[k, l] = gaussNewton[l, k] = 2 * products[l];
            rest[k, k] = ((up[k].Value - (2 * center.Value) + down[k].Value) / (h * h)) - gaussNewton[k, k];
        }

        var model = new ProbeModel(center.Position, gradient, gaussNewton, rest);
        if (previous is not null)
            model.Learn(previous);
        return model;
    }

    /// <summary>The step to the model's minimum, with <paramref name="damping"/> times the coordinates' scales added to the diagonal; null
    /// where that is no minimum.</summary>
    public double[]? Step(double damping)
    {
        int n = _gradient.Length;
        // Cholesky: curvature + damping = F F^T
        var F = new double[n, n];
        for (int k = 0; k < n; k++)
        {
            for (int l = 0; l <= k; l++)
            {
                double sum = _gaussNewton[k, l] + _rest[k, l] + (k == l ? damping * _gaussNewton[k, k] : 0);
                for (int m = 0; m < l; m++)
                    sum -= F[k, m] * F[l, m];
                if (k == l && !(sum > 0))
                    return null;
                F[k, l] = k == l ? Math.Sqrt(sum) : sum / F[l, l];
            }
        }

        var step = new double[n];
        for (int k = 0; k < n; k++)
        {
            double sum = -_gradient[k];
            for (int m = 0; m < k; m++)
                sum -= F[k, m] * step[m];
            step[k] = sum / F[k, k];
        }

        for (int k = n - 1; k >= 0; k--)
        {
            for (int m = k + 1; m < n; m++)
                step[k] -= F[m, k] * step[m];
            step[k] /= F[k, k];
        }

        return Array.TrueForAll(step, double.IsFinite) ? step : null;
    }

    // The least symmetric change after which the curvature turns the way between the two points into the change of the gradient.
    private void Learn(ProbeModel previous)
    {
        int n = _gradient.Length;
        double[] s = [.. _position.Zip(previous._position, (here, there) => here - there)];
        double length = s.Sum(x => x * x);
        if (length == 0)
            return;
        var v = new double[n];
        for (int k = 0; k < n; k++)
        {
            v[k] = _gradient[k] - previous._gradient[k];
            for (int l = 0; l < n; l++)
                v[k] -= (_gaussNewton[k, l] + _rest[k, l]) * s[l];
        }

        double along = v.Zip(s, (a, b) => a * b).Sum() / length;
        for (int k = 0; k < n; k++)
        {
            for (int l = 0; l < n; l++)
                _rest[k, l] += ((v[k] * s[l]) + (s[k] * v[l]) - (along * s[k] * s[l])) / length;
        }
    }
}
