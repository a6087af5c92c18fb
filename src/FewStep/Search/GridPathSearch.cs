using MathNet.Numerics.LinearAlgebra;

namespace FewStep.Search;

/// <summary>Searches for the path through a grid of points that costs least, where a path's cost is no sum over its jumps.</summary>
internal sealed class GridPathSearch(int cells, Func<int[], double> cost)
{
    private const double Farthest = 0.9; // two nodes two cells apart still keep their order
    private readonly Dictionary<string, double> _known = [];

    /// <summary>Paths whose cost was computed.</summary>
    public int Tried => _known.Count;

    /// <summary>Moves blocks of neighbouring nodes, far and then near, as long as that lowers the cost, and all nodes together by Newton
    /// steps: a local minimum.</summary>
    /// <returns>The best points of the grid, from its first to its last, and where between points the parabola through their neighbours is
    /// least, less than a cell away.</returns>
    public (int[] Path, double[] Places) Minimise(int steps, CancellationToken cancellation)
    {
        int[] path = Descend(steps, cancellation);
        while (true)
        {
            double[] step = NewtonStep(path);
            int[] moved = [.. path.Zip(step, (p, s) => p + (int)Math.Round(s))];
            if (!(Cost(moved) < Cost(path)))
                return (path, [.. path.Zip(step, (p, s) => p + Math.Clamp(s, -Farthest, Farthest))]);
            path = moved;
        }
    }

    private int[] Descend(int steps, CancellationToken cancellation)
    {
        int[] path = [.. Enumerable.Range(0, steps + 1).Select(i => i * cells / steps)];
        for (int distance = Math.Max(1, cells / 8); distance > 0; distance /= 2)
        {
            for (bool lower = true; lower;)
            {
                cancellation.ThrowIfCancellationRequested();
                lower = false;
                foreach (int[] moved in Blocks(steps).SelectMany(b => (int[][])[Moved(path, b, distance), Moved(path, b, -distance)]))
                {
                    if (Cost(moved) < Cost(path))
                        (path, lower) = (moved, true);
                }
            }
        }

        return path;
    }

    // No node moves by more than 2 cells, and those right beside others stay.
    private double[] NewtonStep(int[] path)
    {
        var all = new double[path.Length];
        int[] free = [.. Enumerable.Range(1, path.Length - 2).Where(k => path[k] - path[k - 1] > 1 && path[k + 1] - path[k] > 1)];
        if (free.Length == 0)
            return all;
        double At(params ReadOnlySpan<(int Node, int Distance)> moves)
        {
            int[] moved = [.. path];
            foreach (var (node, distance) in moves)
                moved[node] += distance;
            return Cost(moved);
        }

        double Mixed(int i, int j)
        {
            double mixed = (At((i, 1), (j, 1)) - At((i, 1), (j, -1)) - At((i, -1), (j, 1)) + At((i, -1), (j, -1))) / 4;
            return double.IsFinite(mixed) ? mixed : 0; // they would meet
        }

        var gradient = Vector<double>.Build.Dense(free.Length, i => (At((free[i], 1)) - At((free[i], -1))) / 2);
        var curvature = Matrix<double>.Build.Dense(free.Length, free.Length, (i, j) => i == j
            ? At((free[i], 1)) + At((free[i], -1)) - (2 * At()) : Mixed(free[i], free[j]));
        var step = curvature.Solve(-gradient);
        if (step.DotProduct(gradient) < 0) // else no minimum is near
        {
            for (int i = 0; i < free.Length; i++)
                all[free[i]] = Math.Clamp(step[i], -2, 2);
        }

        return all;
    }

    private static IEnumerable<(int First, int Last)> Blocks(int steps)
        => Enumerable.Range(1, steps - 1).SelectMany(first => Enumerable.Range(first, steps - first).Select(last => (first, last)));

    private static int[] Moved(int[] path, (int First, int Last) block, int distance)
        => [.. path.Select((p, i) => i >= block.First && i <= block.Last ? p + distance : p)];

    private double Cost(int[] path)
    {
        if (path.Zip(path.Skip(1)).Any(jump => jump.First >= jump.Second))
            return double.PositiveInfinity;
        string key = string.Join(',', path);
        return _known.TryGetValue(key, out double known) ? known : _known[key] = cost(path);
    }
}
