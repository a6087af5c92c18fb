namespace FewStep.Search;

/// <summary>
/// The cheapest ways from the first to the last point of a grid in exactly N jumps, for all N in one pass, where a jump from point i to
/// point j costs what a table says. What comes after a jump is weighted by a coefficient: V_k(i) = min over j of cost(i, j) + coefficient
/// V_(k-1)(j).
/// </summary>
/// <remarks>Costs may have any sign and need no structure, so a pass takes O(N P^2) for P points.</remarks>
internal sealed class JumpCostProgram
{
    private readonly int[][] _next; // the j that attains V_k(i)

    private JumpCostProgram(int[][] next) => _next = next;

    /// <summary>Solves for all numbers of jumps up to a largest one.</summary>
    public static JumpCostProgram Solve(double[][] cost, int maximumSteps, double coefficient = 1)
    {
        int last = cost.Length - 1;
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumSteps, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maximumSteps, last);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(coefficient);
        int[][] next = [[], .. Enumerable.Range(0, maximumSteps).Select(_ => new int[last + 1])];
        double[] later = [.. Enumerable.Repeat(double.PositiveInfinity, last), 0];
        for (int k = 1; k <= maximumSteps; k++)
        {
            double[] now = [.. Enumerable.Repeat(double.PositiveInfinity, last + 1)];
            // Point i is left k jumps before the last point, so at most k points before it; the jump leaves room for the others.
            for (int i = 0; i <= last - k; i++)
            {
                for (int j = k == 1 ? last : i + 1; j <= last - k + 1; j++)
                {
                    double total = cost[i][j] + (coefficient * later[j]);
                    if (total < now[i])
                        (now[i], next[k][i]) = (total, j);
                }
            }

            later = now;
        }

        return double.IsFinite(later[0])
            ? new JumpCostProgram(next)
            : throw new InvalidInputException("A cost between two points of the search's grid is not finite: the model diverged; check "
                + "that checkpoint and preconditioning belong together.");
    }

    /// <summary>The points of the cheapest way: N+1 increasing indices from the first to the last.</summary>
    public int[] Path(int steps)
    {
        var path = new int[steps + 1];
        for (int k = steps; k > 0; k--)
            path[steps - k + 1] = _next[k][path[steps - k]];
        return path;
    }
}
