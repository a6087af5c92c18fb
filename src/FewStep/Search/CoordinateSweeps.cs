using System.Globalization;

namespace FewStep.Search;

/// <summary>Lowers a sum of costs of steps between grid points by moving one node after another to its best candidate, sweep by sweep, until nothing moves or samples no longer get better.</summary>
/// <param name="cost">cost[i][j] of a step from grid point i to j above i.</param>
/// <param name="candidates">Candidates for a node, spread between its neighbours; the grid points beside it are tried too.</param>
/// <param name="maximumSweeps">Most sweeps.</param>
/// <param name="patience">Sweeps without a better sample before the search stops; null never judges samples.</param>
/// <param name="judge">How bad the samples on a path are; lower is better. Asked for the start and after each move: a sweep can go far, so the best is often inside one.</param>
internal sealed class CoordinateSweeps(double[][] cost, int candidates, int maximumSweeps, int? patience, Func<int[], double> judge)
{
    /// <summary>Why the search stopped.</summary>
    public string StopReason { get; private set; } = "";

    /// <summary>Searches.</summary>
    /// <param name="start">N+1 increasing grid points, of which the first and last stay.</param>
    /// <param name="cancellation">Stops between two moves.</param>
    /// <returns>The path of the best samples, or without a judge the last one.</returns>
    public int[] Minimise(int[] start, CancellationToken cancellation)
    {
        int[] path = [.. start], best = [.. start];
        double least = patience is null ? 0 : judge(path);
        int moves = 0, bestMove = 0, bestSweep = 0, sweep = 0;
        string reason = "limit of sweeps";
        while (sweep < maximumSweeps)
        {
            int before = moves;
            sweep++;
            for (int i = 1; i < path.Length - 1; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                int to = Best(path[i - 1], path[i], path[i + 1]);
                if (to == path[i])
                {
                    continue;
                }

                path[i] = to;
                moves++;
                if (patience is not null && judge(path) is var value && value < least)
                {
                    (least, best, bestMove, bestSweep) = (value, [.. path], moves, sweep);
                }
            }

            if (moves == before)
            {
                reason = "no node moves any more";
                break;
            }

            if (patience is int limit && sweep - bestSweep >= limit)
            {
                reason = "stopped early, samples got no nearer to the teacher's";
                break;
            }
        }

        string effort = string.Create(CultureInfo.InvariantCulture, $"{reason} after {sweep} sweeps, {moves} moves");
        StopReason = patience is null ? effort : string.Create(CultureInfo.InvariantCulture, $"{effort}; move {bestMove} has the best samples");
        return patience is null ? path : best;
    }

    private int Best(int before, int node, int after)
    {
        // Evenly spread between the neighbours; the points beside the node, so that the end does not depend on how coarse that is.
        int[] spread = [.. Enumerable.Range(1, candidates).Select(c => before + (int)Math.Round((double)c * (after - before) / (candidates + 1), MidpointRounding.AwayFromZero)), node - 1, node + 1];
        int best = node;
        double least = cost[before][best] + cost[best][after];
        foreach (int candidate in spread.Where(c => c > before && c < after))
        {
            double total = cost[before][candidate] + cost[candidate][after];
            (least, best) = total < least ? (total, candidate) : (least, best);
        }

        return best;
    }
}
