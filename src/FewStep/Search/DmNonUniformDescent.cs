namespace FewStep.Search;

/// <summary>Minimises a function of rising numbers with fixed ends: a quasi-Newton method (BFGS) over the logarithms of the gaps, in which
/// any point keeps the order. No gap falls below a hundredth of the mean gap.</summary>
/// <remarks>Gradients are central differences. Steps are halved until the function falls enough (Armijo), so it never rises; where it has
/// kinks, BFGS follows them (Lewis and Overton 2013).</remarks>
internal sealed class DmNonUniformDescent(Func<double[], double> function)
{
    private const double Floor = 0.01;
    private const double Difference = 1e-6;
    private const double RelativeDecrease = 1e-10;

    public sealed record Result(double[] Points, double Value, int Iterations, bool Converged);

    public Result Descend(double[] start, int maximumIterations, CancellationToken cancellation)
    {
        double low = start[0], high = start[^1];
        double At(double[] z) => function(Points(z, low, high));
        double[] point = Coordinates(start);
        double value = At(point);
        double[] gradient = Gradient(At, point);
        double[][] inverse = Identity(point.Length);
        bool fresh = true;
        for (int iteration = 1; iteration <= maximumIterations; iteration++)
        {
            cancellation.ThrowIfCancellationRequested();
            double[] direction = [.. inverse.Select(row => -Dot(row, gradient))];
            double slope = Dot(direction, gradient);
            double[]? next = slope < 0 ? Lower(At, point, value, direction, slope) : null;
            double moved = next is null ? value : At(next);
            if (next is null || value - moved <= RelativeDecrease * Math.Abs(value))
            {
                (point, value) = next is null ? (point, value) : (next, moved);
                if (fresh)
                    return new Result(Points(point, low, high), value, iteration, true);

                // A curvature learnt on the other side of a kink may be what stops it.
                (gradient, inverse, fresh) = (Gradient(At, point), Identity(point.Length), true);
                continue;
            }

            double[] after = Gradient(At, next);
            Update(inverse, Subtract(next, point), Subtract(after, gradient), fresh);
            (point, value, gradient, fresh) = (next, moved, after, false);
        }

        return new Result(Points(point, low, high), value, maximumIterations, false);
    }

    internal static double[] Gradient(Func<double[], double> at, double[] point)
    {
        var gradient = new double[point.Length];
        double[] moved = [.. point];
        for (int i = 0; i < point.Length; i++)
        {
            moved[i] = point[i] + Difference;
            double above = at(moved);
            moved[i] = point[i] - Difference;
            gradient[i] = (above - at(moved)) / (2 * Difference);
            moved[i] = point[i];
        }

        return gradient;
    }

    // Gaps are proportional to floor + (1 - floor) softmax(z).
    private static double[] Points(double[] z, double low, double high)
    {
        double largest = z.Max();
        double[] share = [.. z.Select(v => Math.Exp(v - largest))];
        double sum = share.Sum(), place = low;
        var points = new double[z.Length + 1];
        points[0] = low;
        for (int i = 0; i < z.Length; i++)
        {
            place += (high - low) * ((Floor / z.Length) + ((1 - Floor) * share[i] / sum));
            points[i + 1] = place;
        }

        points[^1] = high;
        return points;
    }

    private static double[] Coordinates(double[] points)
    {
        int n = points.Length - 1;
        double whole = points[^1] - points[0];
        return [.. Enumerable.Range(0, n).Select(i => Math.Log(Math.Max(1e-3 / n, ((points[i + 1] - points[i]) / whole) - (Floor / n))))];
    }

    private static double[]? Lower(Func<double[], double> at, double[] point, double value, double[] direction, double slope)
    {
        // No coordinate moves by more than 1 at once: a gap by no more than a factor e against another.
        double length = Math.Min(1, 1 / direction.Max(Math.Abs));
        for (int halving = 0; halving < 40; halving++, length /= 2)
        {
            double[] candidate = [.. point.Select((p, i) => p + (length * direction[i]))];
            if (at(candidate) <= value + (1e-4 * length * slope))
                return candidate;
        }

        return null;
    }

    private static void Update(double[][] inverse, double[] s, double[] y, bool first)
    {
        double sy = Dot(s, y);
        if (!(sy > 1e-10 * Math.Sqrt(Dot(s, s) * Dot(y, y)))) // no positive curvature along the step
            return;

        int n = s.Length;
        if (first)
        {
            for (int i = 0; i < n; i++)
                inverse[i][i] = sy / Dot(y, y);
        }

        double[] hy = [.. inverse.Select(row => Dot(row, y))];
        double scale = (1 + (Dot(y, hy) / sy)) / sy;
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
                inverse[i][j] += (scale * s[i] * s[j]) - (((hy[i] * s[j]) + (s[i] * hy[j])) / sy);
        }
    }

    private static double[][] Identity(int n)
        => [.. Enumerable.Range(0, n).Select(i => Enumerable.Range(0, n).Select(j => i == j ? 1.0 : 0).ToArray())];

    private static double[] Subtract(double[] a, double[] b) => [.. a.Zip(b, (p, q) => p - q)];
    private static double Dot(double[] a, double[] b) => a.Zip(b, (p, q) => p * q).Sum();
}
