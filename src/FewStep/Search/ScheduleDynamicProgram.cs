namespace FewStep.Search;

/// <summary>The schedules of least discretization loss on a grid of noise levels, for every number of steps up to a maximum, in one
/// pass.</summary>
/// <remarks>
/// F_k(j) = min over i &lt; j of F_{k-1}(i) + [g_j - g_i] L_i. Along the path g rises and L does not, so for i &lt; i' and j &lt; j' going
/// straight beats crossing (Monge's inequality), the best i never falls as j rises, and divide and conquer finds a layer of M points in O(M
/// log M).
/// </remarks>
internal sealed class ScheduleDynamicProgram
{
    private readonly int[][] _previous;
    private readonly int _last;

    private ScheduleDynamicProgram(int[][] previous, int last) => (_previous, _last) = (previous, last);

    /// <summary>Solves for paths from the first grid point to the last.</summary>
    public static ScheduleDynamicProgram Solve(ReadOnlySpan<double> g, ReadOnlySpan<double> losses, int maximumSteps)
    {
        Check(g, losses, maximumSteps);
        int points = g.Length;
        var previous = new int[maximumSteps + 1][];
        var layer = new double[points]; // F_{k-1}; infinite where the point cannot be reached in that many steps
        var next = new double[points];
        layer.AsSpan().Fill(double.PositiveInfinity);
        (layer[0], previous[0]) = (0, []);
        for (int k = 1; k <= maximumSteps; k++)
        {
            next.AsSpan().Fill(double.PositiveInfinity);
            previous[k] = new int[points];
            // The first layer has one way to each point; a later one leaves from k-1 at the earliest, which k-1 steps can just reach.
            Layer(g, losses, layer, next, previous[k], k, points - 1, k - 1, k == 1 ? 0 : points - 2);
            (layer, next) = (next, layer);
        }

        return new ScheduleDynamicProgram(previous, points - 1);
    }

    /// <summary>The grid points of the path of least loss with exactly this many steps, N+1 increasing indices from the first to the
    /// last.</summary>
    public int[] Path(int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(steps, _previous.Length - 1);
        var path = new int[steps + 1];
        path[steps] = _last;
        for (int k = steps; k > 0; k--)
            path[k - 1] = _previous[k][path[k]];
        return path;
    }

    private static void Layer(ReadOnlySpan<double> g, ReadOnlySpan<double> losses, double[] from, double[] to, int[] previous, int jLow,
        int jHigh, int iLow, int iHigh)
    {
        if (jLow > jHigh)
            return;
        int j = jLow + ((jHigh - jLow) / 2);
        int best = iLow;
        double least = double.PositiveInfinity;
        for (int i = iLow; i <= Math.Min(iHigh, j - 1); i++)
        {
            double cost = from[i] + ((g[j] - g[i]) * losses[i]);
            if (cost < least)
                (least, best) = (cost, i);
        }

        (to[j], previous[j]) = (least, best);
        Layer(g, losses, from, to, previous, jLow, j - 1, iLow, best);
        Layer(g, losses, from, to, previous, j + 1, jHigh, best, iHigh);
    }

    private static void Check(ReadOnlySpan<double> g, ReadOnlySpan<double> losses, int maximumSteps)
    {
        if (g.Length < 2 || losses.Length != g.Length || maximumSteps < 1 || maximumSteps > g.Length - 1)
        {
            throw new ArgumentException($"{maximumSteps} steps need a grid of at least as many points and one more, each with weighting "
                + $"and loss; there are {g.Length} and {losses.Length}.", nameof(maximumSteps));
        }

        for (int j = 0; j < g.Length; j++)
        {
            if (!double.IsFinite(g[j]) || !double.IsFinite(losses[j]) || losses[j] < 0
                || (j > 0 && (!(g[j] > g[j - 1]) || losses[j] > losses[j - 1])))
            {
                throw new ArgumentException($"In sampling order the weighting must rise and the loss must not: at grid point {j} they are "
                    + $"{g[j]} and {losses[j]}.", nameof(losses));
            }
        }
    }
}
