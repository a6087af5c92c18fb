using System.Diagnostics;
using FewStep.Noise;
using FewStep.Sampling;

namespace FewStep.Search;

/// <summary>The schedule on which Euler's own errors, carried to the end by the flow, add up to least: what the discretization loss is for
/// the training loss, for the sampler's errors themselves. One measurement serves every number of steps.</summary>
/// <remarks>
/// With K the inner products of what curvature in two cells does to the end (<see cref="PropagatedErrors"/>) and W the integral of
/// s - s_next over each cell, the mean square at the end is W K W, to first order in the errors. For many steps its minimum has the density
/// rho of steps with rho(s)^2 ~ integral K(s, t) / rho(t) dt, where the search begins; for Gaussian data the nodes are equidistant in
/// arctan(s / c), for any number of steps.
/// </remarks>
internal sealed class PropagatedOptimizer(ScheduleSearchContext context, PropagatedOptions? options = null) : IScheduleOptimizer
{
    private const string OptimizerName = "propagated";
    private const int MaximumIterations = 300;
    private readonly ScheduleSearchContext _context = context.Checked();
    private readonly PropagatedOptions _options = (options ?? new()).Checked();

    public static ScheduleOptimizerEntry Entry { get; } = new()
    {
        Name = OptimizerName,
        Description = "Euler's errors carried to the end of the trajectory, their inner products measured on a grid of 30 cells, then a "
            + "quasi-Newton method; 480 evaluations a latent, 32 latents, for every N",
        Source = "this project",
        Create = (context, _) => new PropagatedOptimizer(
            context, context.Images is int latents ? new PropagatedOptions { Latents = latents } : null),
    };

    public string Name => OptimizerName;

    public IReadOnlyList<ScheduleSearchResult> Search(
        ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        request.Validate();
        using var inference = no_grad();
        var watch = Stopwatch.StartNew();
        var paired = _context.Sampling();
        var grid = StandardSchedules.Usual.Create(_options.Cells, request.SigmaMin, request.SigmaMax);
        using var errors = new PropagatedErrors(
            paired, grid, SeedList.Of(_options.Latents, _context.FirstSeed), progress, cancellation);
        double[] density = Density(errors);
        double shared = watch.Elapsed.TotalSeconds / request.Steps.Count;
        List<ScheduleSearchResult> results = [];
        foreach (int steps in request.Steps)
        {
            watch.Restart();
            var descent = new DmNonUniformDescent(points => Value(errors, points));
            double[] start = [.. Quantiles(errors, density, steps).Select(s => -Math.Log(s))];
            var end = descent.Descend(start, MaximumIterations, cancellation);
            double[] sigmas = [.. end.Points.Select(p => Math.Exp(-p))];
            (sigmas[0], sigmas[^1]) = (request.SigmaMax, request.SigmaMin);
            results.Add(new ScheduleSearchResult
            {
                Schedule = new SamplingSchedule(sigmas, request.Terminal),
                Objective = "mean square at the end of Euler's errors, carried there by the flow",
                Search = InvariantText.Of($"BFGS over the logarithms of the gaps in ln sigma, on the errors of {_options.Cells} cells"),
                Loss = MeanEstimate.Of(errors.MeanSquares(Weights(errors.Sigmas, sigmas))),
                NetworkEvaluations = paired.Evaluations,
                StopReason = InvariantText.Of(
                    $"{(end.Converged ? "no further decrease" : "iteration limit")} after {end.Iterations} iterations from the density"),
                Seconds = shared + watch.Elapsed.TotalSeconds,
            });
        }

        return results;
    }

    // W K W, without what it costs to go through all latents.
    private static double Value(PropagatedErrors errors, double[] points)
    {
        double[] weights = Weights(errors.Sigmas, [.. points.Select(p => Math.Exp(-p))]);
        double sum = 0;
        for (int m = 0; m < weights.Length; m++)
        {
            for (int l = 0; l < weights.Length; l++)
                sum += weights[m] * weights[l] * errors.Kernel[m][l];
        }

        return sum;
    }

    // The integral over each cell of s - s_next, s_next the schedule's sigma below s.
    private static double[] Weights(IReadOnlyList<double> grid, double[] sigmas)
    {
        var weights = new double[grid.Count - 1];
        for (int m = 0, step = 0; m < weights.Length; m++)
        {
            for (double high = grid[m]; high > grid[m + 1];)
            {
                while (step < sigmas.Length - 2 && sigmas[step + 1] >= high)
                    step++;

                double next = sigmas[step + 1], low = Math.Max(next < high ? next : grid[m + 1], grid[m + 1]);
                weights[m] += (((high - next) * (high - next)) - ((low - next) * (low - next))) / 2;
                high = low;
            }
        }

        return weights;
    }

    // Steps per unit of sigma in each cell, up to a factor: a damped iteration, which needs no good start.
    private static double[] Density(PropagatedErrors errors)
    {
        const int Iterations = 200;
        var (sigmas, kernel) = (errors.Sigmas, errors.Kernel);
        double[] width = [.. sigmas.Zip(sigmas.Skip(1), (a, b) => a - b)];
        double[] density = [.. width.Select(h => 1 / h)];
        for (int i = 0; i < Iterations; i++)
        {
            double[] square = [.. kernel.Select(row => row.Select((k, l) => k * width[l] / density[l]).Sum())];
            double least = square.Max() * 1e-12;
            double[] next = [.. square.Select(s => Math.Sqrt(Math.Max(s, least)))];
            double total = next.Zip(width, (d, h) => d * h).Sum();
            density = [.. density.Zip(next, (d, n) => Math.Sqrt(d * n / total))];
            double norm = density.Zip(width, (d, h) => d * h).Sum();
            density = [.. density.Select(d => d / norm)];
        }

        return density;
    }

    private static double[] Quantiles(PropagatedErrors errors, double[] density, int steps)
    {
        var sigmas = new double[steps + 1];
        (sigmas[0], sigmas[^1]) = (errors.Sigmas[0], errors.Sigmas[^1]);
        double before = 0;
        for (int m = 0, i = 1; m < density.Length && i < steps; m++)
        {
            double share = density[m] * (errors.Sigmas[m] - errors.Sigmas[m + 1]);
            for (; i < steps && before + share >= (double)i / steps; i++)
                sigmas[i] = errors.Sigmas[m] - ((((double)i / steps) - before) / density[m]);

            before += share;
        }

        return sigmas;
    }
}

/// <summary>How <see cref="PropagatedOptimizer"/> searches.</summary>
internal sealed record PropagatedOptions
{
    /// <summary>Cells of the grid, over Karras' schedule, 8 to 1,000; default 30.</summary>
    public int Cells { get; init; } = 30;

    /// <summary>Latents, at least 2; default 32, which with 30 cells is what GITS evaluates.</summary>
    public int Latents { get; init; } = 32;

    /// <returns>These options, where they are valid.</returns>
    public PropagatedOptions Checked() => new OptionRules("The search on propagated errors cannot start")
        .Require(Cells is >= 8 and <= 1000, $"the cells must be 8 to 1000, not {Cells}")
        .Require(Latents >= 2, $"there must be at least 2 latents, not {Latents}")
        .Check(this);
}
