namespace FewStep.Search;

/// <summary>Lowers a sum of costs of steps between grid points by moving one node after another to its best candidate, sweep by sweep,
/// until nothing moves or samples no longer get better.</summary>
internal sealed class CoordinateSweeps(double[][] cost, int candidates, int maximumSweeps, int? patience, Func<int[], double> judge)
{
    public string StopReason { get; private set; } = "";

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
                    continue;

                path[i] = to;
                moves++;
                if (patience is not null && judge(path) is var value && value < least)
                    (least, best, bestMove, bestSweep) = (value, [.. path], moves, sweep);
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

        string effort = InvariantText.Of($"{reason} after {sweep} sweeps, {moves} moves");
        StopReason = patience is null ? effort : InvariantText.Of($"{effort}; move {bestMove} has the best samples");
        return patience is null ? path : best;
    }

    private int Best(int before, int node, int after)
    {
        // Evenly spread between the neighbours; the points beside the node, so that the end does not depend on how coarse that is.
        int[] spread = [.. Enumerable.Range(1, candidates).Select(c =>
            before + (int)Math.Round((double)c * (after - before) / (candidates + 1), MidpointRounding.AwayFromZero)), node - 1, node + 1];
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
