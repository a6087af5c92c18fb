namespace FewStep.Search;

/// <summary>
/// Minimises a mean square over increasing coordinates between two fixed ends without derivatives: two probes a coordinate make a
/// <see cref="ProbeModel"/>, a damped step goes to its minimum, and whatever was lowest is the next centre. The order of the coordinates is
/// kept.
/// </summary>
/// <remarks>
/// Each evaluation is many samples, so few of them matter most. A simplex (Nelder and Mead; MathNet has one) sees only values, and in 3 to
/// 9 dimensions needs several times as many; residuals give the coordinates' interaction for nothing. Probes are wide (a share of the gap
/// between coordinates), so that rounding in a network of 16-bit numbers does no harm.
/// </remarks>
internal sealed class ProbeSearch(double low, double high, Func<double[], LeastSquaresPoint?> evaluate, double tolerance)
{
    private static readonly double[] ProbeWidths = [0.25, 0.1]; // of the smaller gap beside a coordinate
    private const double SmallestGap = 0.25; // of what it was before a step
    private const double SmallestDamping = 1e-3;
    private const double LargestDamping = 1e6;
    private const double DampingFactor = 10;
    private const int Attempts = 3;
    private const int Doublings = 3;
    private double _damping = 0.01;
    private ProbeModel? _model;

    public int Iterations { get; private set; }

    /// <summary>Whether the tolerance was reached; false where the evaluations ended first.</summary>
    public bool Converged { get; private set; }

    /// <returns>The best point; the caller owns it.</returns>
    public LeastSquaresPoint Minimise(LeastSquaresPoint start, Action<double> told)
    {
        var best = start;
        for (int width = 0; width < ProbeWidths.Length && start.Position.Length > 0;)
        {
            double before = best.Value;
            bool goesOn = Iterate(ref best, ProbeWidths[width]);
            Iterations++;
            told(best.Value);
            if (!goesOn)
                return best;
            width += best.Value > before * (1 - tolerance) ? 1 : 0;
        }

        Converged = true;
        return best;
    }

    private bool Iterate(ref LeastSquaresPoint best, double share)
    {
        var center = best;
        double[] u = center.Position;
        double[] widths = [.. u.Select((_, k) => share * Math.Min(Gap(u, k), Gap(u, k + 1)))];
        List<LeastSquaresPoint> points = [center];
        try
        {
            for (int k = 0; k < u.Length; k++)
            {
                foreach (double width in (double[])[widths[k], -widths[k]])
                {
                    double[] moved = [.. u];
                    moved[k] += width;
                    if (!Try(moved, points, ref best))
                        return false;
                }
            }

            _model = ProbeModel.From(
                center, widths, [.. points.Where((_, i) => i % 2 == 1)], [.. points.Where((_, i) => i > 0 && i % 2 == 0)], _model);
            return Step(_model, points, ref best);
        }
        finally
        {
            foreach (var point in points)
            {
                if (point != best)
                    point.Dispose();
            }
        }
    }

    private bool Step(ProbeModel model, List<LeastSquaresPoint> points, ref LeastSquaresPoint best)
    {
        var center = points[0];
        for (int attempt = 0; attempt < Attempts; attempt++, _damping *= DampingFactor)
        {
            double[]? step = model.Step(_damping);
            for (; step is null && _damping < LargestDamping; step = model.Step(_damping))
                _damping *= 2;
            if (step is null)
                break;
            if (!Try(Shortened(center.Position, step), points, ref best))
                return false;
            if (points[^1].Value < center.Value)
            {
                for (int doubling = 0; doubling < Doublings && points[^1] == best; doubling++)
                {
                    step = [.. step.Select(x => 2 * x)];
                    if (!Try(Shortened(center.Position, step), points, ref best))
                        return false;
                }

                _damping = Math.Max(SmallestDamping, _damping / DampingFactor);
                return true;
            }
        }

        _damping = Math.Min(LargestDamping, _damping);
        return true;
    }

    private bool Try(double[] position, List<LeastSquaresPoint> points, ref LeastSquaresPoint best)
    {
        if (evaluate(position) is not { } point)
            return false;
        points.Add(point);
        best = point.Value < best.Value ? point : best;
        return true;
    }

    // No gap shrinks below a share of what it was.
    private double[] Shortened(double[] u, double[] step)
    {
        double length = 1;
        for (int k = 0; k <= u.Length; k++)
        {
            double closing = (k > 0 ? step[k - 1] : 0) - (k < u.Length ? step[k] : 0);
            if (closing > 0)
                length = Math.Min(length, (1 - SmallestGap) * Gap(u, k) / closing);
        }

        return [.. u.Select((value, k) => value + (length * step[k]))];
    }

    // The gap below coordinate k, or below the upper end.
    private double Gap(double[] u, int k) => (k < u.Length ? u[k] : high) - (k > 0 ? u[k - 1] : low);
}

/// <summary>A point of a least-squares problem: position, residuals, and their mean square.</summary>
internal sealed class LeastSquaresPoint : IDisposable
{
    public LeastSquaresPoint(double[] position, Tensor residuals)
    {
        using var scope = NewDisposeScope();
        (Position, Residuals) = (position, residuals.DetachFromDisposeScope());
        Value = residuals.to(float64).Squared().mean().item<double>();
    }

    public double[] Position { get; }
    public double Value { get; }
    public Tensor Residuals { get; }

    public void Dispose() => Residuals.Dispose();
}
