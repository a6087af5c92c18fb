using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Search;

/// <summary>
/// Align Your Steps (Sabour et al. 2024, arXiv 2404.14507): an upper bound of the KL divergence between the sampler's distribution and the
/// model's, lowered by sweeps over the inner noise levels from Karras' schedule on, and stopped early.
/// </summary>
/// <remarks>
/// Simplified: the bound's integrals are taken on a grid from one table of the model's outputs along forward noise, where the paper draws
/// times by importance sampling for every candidate; each number of steps is searched by itself, where the paper halves the steps of a
/// schedule of 10; and early stopping is decided by the distance of Euler samples to a fine teacher, where the paper looks at images and
/// FID.
/// </remarks>
internal sealed class AysOptimizer(ScheduleSearchContext context, AysOptions? options = null) : IScheduleOptimizer
{
    private const string OptimizerName = "ays";
    private readonly ScheduleSearchContext _context = context.Checked();
    private readonly AysOptions _options = (options ?? new()).Checked();

    /// <summary>How the catalogue offers it: <c>ays:converged</c> goes on to the bound's minimum.</summary>
    public static ScheduleOptimizerEntry Entry { get; } = new()
    {
        Name = OptimizerName,
        Parameter = "converged",
        Description = "KL upper bound along forward noise: sweeps over the inner sigmas from Karras' schedule, stopped early (or "
            + "converged); 128 evaluations an image, 128 images, for every N, and N a node's move on 32 latents",
        Source = "Sabour et al. 2024, arXiv 2404.14507",
        CheckParameter = text => Patience(text),
        Create = (context, parameter) =>
        {
            var options = new AysOptions { Patience = Patience(parameter) };
            return new AysOptimizer(context, options with { Images = context.Images ?? options.Images });
        },
    };

    public string Name => OptimizerName;

    public IReadOnlyList<ScheduleSearchResult> Search(
        ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        request.Validate();
        if (request.Steps.Max() > _options.Points - 1)
        {
            throw new InvalidInputException($"Align Your Steps searches a grid of {_options.Points} noise levels, so at most "
                + $"{_options.Points - 1} steps, not {request.Steps.Max()}.");
        }

        var paired = _context.Sampling();
        double[] grid = [.. StandardSchedule.LogSnr().Create(_options.Points - 1, request.SigmaMin, request.SigmaMax).Sigmas];
        var bound = ForwardPathBound.Measure(paired, _context, _options, request, grid, progress, cancellation);
        using var judge = _options.Patience is null
            ? null
            : request.WithHeun(paired, SeedList.Of(_options.JudgeLatents, _context.FirstSeed), _options.TeacherSteps, cancellation);
        long shared = paired.Evaluations;
        var results = new List<ScheduleSearchResult>();
        foreach (int steps in request.Steps)
        {
            var watch = Stopwatch.StartNew();
            long before = paired.Evaluations;
            SamplingSchedule Schedule(int[] path) => new(path.Select(i => grid[i]), request.Terminal);
            var sweeps = new CoordinateSweeps(bound.Steps, _options.Candidates, _options.MaximumSweeps, _options.Patience,
                path => judge!.MeanSquares(new EulerSolver(), Schedule(path), cancellation).Average());
            int[] path = sweeps.Minimise(
                Nearest(grid, StandardSchedule.Karras().Create(steps, request.SigmaMin, request.SigmaMax)), cancellation);
            results.Add(new ScheduleSearchResult
            {
                Schedule = Schedule(path),
                Objective = "Align Your Steps' KL upper bound, nats per image value",
                Search = InvariantText.Of(
                    $"coordinate sweeps from Karras, {_options.Candidates} candidates a node, {_options.Points} sigmas"),
                Loss = MeanEstimate.Of(bound.PerImage(path)),
                NetworkEvaluations = shared + paired.Evaluations - before,
                StopReason = sweeps.StopReason,
                Seconds = watch.Elapsed.TotalSeconds,
            });
            progress?.Report(new WorkProgress("schedule search", results.Count, request.Steps.Count, "schedules"));
        }

        return results;
    }

    // The grid points nearest to a schedule's sigmas, all different.
    private static int[] Nearest(double[] grid, SamplingSchedule schedule)
    {
        int last = grid.Length - 1, n = schedule.Steps;
        double cell = Math.Log(grid[0] / grid[last]) / last;
        var path = new int[n + 1];
        for (int i = 1; i <= n; i++)
        {
            int nearest = (int)Math.Round(Math.Log(grid[0] / schedule.Sigmas[i]) / cell);
            path[i] = Math.Clamp(nearest, path[i - 1] + 1, last - (n - i));
        }

        return path;
    }

    private static int? Patience(string? text) => text switch
    {
        null => new AysOptions().Patience,
        "converged" => null,
        _ => throw new InvalidInputException(
            $"Schedule optimiser '{OptimizerName}': what follows the colon can only be converged, as in ays:converged."),
    };
}

internal sealed record AysOptions
{
    /// <summary>Images whose forward noise the bound is averaged over, at least 2; default 128.</summary>
    public int Images { get; init; } = 128;

    /// <summary>Noise levels of the log-spaced grid, 16 to 512; default 128. An image costs as many evaluations. Nodes lie on it, and the
    /// bound's integrals use it.</summary>
    public int Points { get; init; } = 128;

    /// <summary>Candidates tried for a node in a sweep, evenly spread in ln sigma between its neighbours, at least 3; default 11, the
    /// paper's.</summary>
    public int Candidates { get; init; } = 11;

    /// <summary>Most sweeps over the nodes, 0 or more; default 100.</summary>
    public int MaximumSweeps { get; init; } = 100;

    /// <summary>
    /// Sweeps without better samples, judged after each node's move, after which the search stops and the schedule of the best is taken, 1
    /// or more; default 3. Null goes on to the bound's minimum, which the paper found to be worse than stopping early.
    /// </summary>
    public int? Patience { get; init; } = 3;

    /// <summary>Latents by which samples are judged for <see cref="Patience"/>: mean-square distance of Euler's endpoint to a fine
    /// teacher's; at least 2, default 32.</summary>
    public int JudgeLatents { get; init; } = 32;

    /// <summary>Heun steps of that teacher, and of the one that makes images where there are none, at least 2; default 40.</summary>
    public int TeacherSteps { get; init; } = 40;

    /// <returns>These options, where they are valid.</returns>
    public AysOptions Checked() =>
        new OptionRules("Align Your Steps cannot search")
            .Require(Images >= 2 && JudgeLatents >= 2,
                $"there must be at least 2 images and 2 latents to judge by, not {Images} and {JudgeLatents}")
            .Require(Points is >= 16 and <= 512, $"the grid must have 16 to 512 points, not {Points}")
            .Require(Candidates >= 3, $"there must be at least 3 candidates, not {Candidates}")
            .Require(MaximumSweeps >= 0 && Patience is null or >= 1,
                $"sweeps must be at least 0 and the patience at least 1, not {MaximumSweeps} and {Patience}")
            .Require(TeacherSteps is >= 2 and <= 10_000, $"the teacher's steps must be 2 to 10000, not {TeacherSteps}")
            .Check(this);
}

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
