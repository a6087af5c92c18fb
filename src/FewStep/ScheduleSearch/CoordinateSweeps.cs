using System.Globalization;

namespace FewStep.ScheduleSearch;

/// <summary>Lowers a sum of costs of steps between grid points by moving one node after another to its best candidate, sweep by sweep, until nothing moves or samples no longer get better.</summary>
/// <param name="cost">cost[i][j] of a step from grid point i to j above i.</param>
/// <param name="candidates">Candidates for a node, spread between its neighbours; the grid points beside it are tried too.</param>
/// <param name="maximumSweeps">Most sweeps.</param>
/// <param name="patience">Sweeps without a better sample before the search stops; null never judges samples.</param>
/// <param name="judge">How bad the samples on a path are; lower is better. Asked once for the start and once a sweep.</param>
internal sealed class CoordinateSweeps(double[][] cost, int candidates, int maximumSweeps, int? patience, Func<int[], double> judge)
{
    /// <summary>Why the search stopped.</summary>
    public string StopReason { get; private set; } = "";

    /// <summary>Searches.</summary>
    /// <param name="start">N+1 increasing grid points, of which the first and last stay.</param>
    /// <param name="cancellation">Stops between two sweeps.</param>
    /// <returns>The path of the best samples, or without a judge the last one.</returns>
    public int[] Minimise(int[] start, CancellationToken cancellation)
    {
        int[] path = [.. start], best = [.. start];
        double least = patience is null ? 0 : judge(path);
        int bestSweep = 0;
        for (int sweep = 1; sweep <= maximumSweeps; sweep++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!Sweep(path))
            {
                return Stop(patience is null ? path : best, "no node moves any more", sweep - 1, bestSweep);
            }

            if (patience is not int limit)
            {
                continue;
            }

            double value = judge(path);
            if (value < least)
            {
                (least, best, bestSweep) = (value, [.. path], sweep);
            }
            else if (sweep - bestSweep >= limit)
            {
                return Stop(best, "stopped early, samples got no nearer to the teacher's", sweep, bestSweep);
            }
        }

        return Stop(patience is null ? path : best, "limit of sweeps", maximumSweeps, bestSweep);
    }

    private bool Sweep(int[] path)
    {
        bool moved = false;
        for (int i = 1; i < path.Length - 1; i++)
        {
            int before = path[i - 1], after = path[i + 1], best = path[i];
            double least = cost[before][best] + cost[best][after];
            // Evenly spread between the neighbours; the points beside the node, so that the end does not depend on how coarse that is.
            int[] spread = [.. Enumerable.Range(1, candidates).Select(c => before + (int)Math.Round((double)c * (after - before) / (candidates + 1), MidpointRounding.AwayFromZero)), path[i] - 1, path[i] + 1];
            foreach (int candidate in spread.Where(c => c > before && c < after))
            {
                double total = cost[before][candidate] + cost[candidate][after];
                (least, best) = total < least ? (total, candidate) : (least, best);
            }

            moved |= best != path[i];
            path[i] = best;
        }

        return moved;
    }

    private int[] Stop(int[] path, string reason, int sweeps, int bestSweep)
    {
        StopReason = patience is null
            ? string.Create(CultureInfo.InvariantCulture, $"{reason} after {sweeps} sweeps")
            : string.Create(CultureInfo.InvariantCulture, $"{reason} after {sweeps} sweeps; sweep {bestSweep} has the best samples");
        return path;
    }
}
