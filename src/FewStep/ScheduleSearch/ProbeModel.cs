using static TorchSharp.torch;

namespace FewStep.ScheduleSearch;

/// <summary>
/// A quadratic model of a least-squares value around a point from two probes a coordinate: gradient and diagonal curvature by central differences of the value itself, the curvature's other entries by Gauss and Newton from the
/// differences of the residuals.
/// </summary>
/// <remarks>The residuals at the best schedule are far from zero, so Gauss-Newton's diagonal alone would be wrong; the probes that the Jacobian costs anyway give the true one.</remarks>
internal sealed class ProbeModel
{
    private readonly double[] _gradient;
    private readonly double[,] _curvature;
    private readonly double[] _scale; // Gauss-Newton's diagonal

    private ProbeModel(double[] gradient, double[,] curvature, double[] scale) => (_gradient, _curvature, _scale) = (gradient, curvature, scale);

    /// <summary>Builds the model.</summary>
    /// <param name="center">The point.</param>
    /// <param name="widths">Distance of the probes from it in each coordinate.</param>
    /// <param name="up">Probes at larger coordinates.</param>
    /// <param name="down">Probes at smaller coordinates.</param>
    public static ProbeModel From(LeastSquaresPoint center, double[] widths, IReadOnlyList<LeastSquaresPoint> up, IReadOnlyList<LeastSquaresPoint> down)
    {
        using var scope = NewDisposeScope();
        int n = widths.Length;
        var gradient = new double[n];
        var scale = new double[n];
        var curvature = new double[n, n];
        var slopes = new Tensor[n];
        for (int k = 0; k < n; k++)
        {
            double h = widths[k];
            gradient[k] = (up[k].Value - down[k].Value) / (2 * h);
            slopes[k] = (up[k].Residuals - down[k].Residuals) / (2 * h);
            for (int l = 0; l < k; l++)
            {
                curvature[k, l] = curvature[l, k] = 2 * (slopes[k] * slopes[l]).mean([], type: float64).item<double>();
            }

            scale[k] = 2 * slopes[k].square().mean([], type: float64).item<double>();
            curvature[k, k] = Math.Max((up[k].Value - (2 * center.Value) + down[k].Value) / (h * h), 0.1 * scale[k]);
        }

        return new ProbeModel(gradient, curvature, scale);
    }

    /// <summary>The step to the model's minimum, with <paramref name="damping"/> times the coordinates' scales added to the diagonal; null where that is no minimum.</summary>
    public double[]? Step(double damping)
    {
        int n = _gradient.Length;
        // Cholesky: curvature + damping = F F^T
        var F = new double[n, n];
        for (int k = 0; k < n; k++)
        {
            for (int l = 0; l <= k; l++)
            {
                double sum = _curvature[k, l] + (k == l ? damping * _scale[k] : 0);
                for (int m = 0; m < l; m++)
                {
                    sum -= F[k, m] * F[l, m];
                }

                if (k == l && !(sum > 0))
                {
                    return null;
                }

                F[k, l] = k == l ? Math.Sqrt(sum) : sum / F[l, l];
            }
        }

        var step = new double[n];
        for (int k = 0; k < n; k++)
        {
            double sum = -_gradient[k];
            for (int m = 0; m < k; m++)
            {
                sum -= F[k, m] * step[m];
            }

            step[k] = sum / F[k, k];
        }

        for (int k = n - 1; k >= 0; k--)
        {
            for (int m = k + 1; m < n; m++)
            {
                step[k] -= F[m, k] * step[m];
            }

            step[k] /= F[k, k];
        }

        return Array.TrueForAll(step, double.IsFinite) ? step : null;
    }
}
