using System.Diagnostics;
using FewStep.Noise;
using FewStep.Sampling;

namespace FewStep.Search;

/// <summary>The schedule on which Euler's own errors, carried to the end by the flow, add up to least: what the discretization loss is for
/// the training loss, for the sampler's errors themselves. One measurement serves every number of steps.</summary>
/// <remarks>
/// A step of length h errs by h^2/2 times the curvature, and the mean square of the sum at the end is 1/4 sum h_k^2 h_l^2 K(s_k, s_l), with K
/// the inner products of <see cref="PropagatedErrors"/>. Its minimum for many steps has the density rho of steps with rho(s)^2 ~ integral
/// K(s, t) / rho(t) dt; the sigmas are the density's quantiles. For Gaussian data they are equidistant in arctan(s / c), which is best for
/// any number of steps.
/// </remarks>
internal sealed class PropagatedOptimizer(ScheduleSearchContext context, PropagatedOptions? options = null) : IScheduleOptimizer
{
    private const string OptimizerName = "propagated";
    private readonly ScheduleSearchContext _context = context.Checked();
    private readonly PropagatedOptions _options = (options ?? new()).Checked();

    public static ScheduleOptimizerEntry Entry { get; } = new()
    {
        Name = OptimizerName,
        Description = "Euler's errors carried to the end of the trajectory: the density of steps from their inner products on a grid of 30 "
            + "cells; 495 evaluations a latent, 31 latents, for every N",
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
        var fine = StandardSchedules.Usual.Create(2 * _options.Cells, request.SigmaMin, request.SigmaMax);
        var errors = new PropagatedErrors(
            paired, fine, SeedList.Of(_options.Latents, _context.FirstSeed), _context.BatchSize, progress, cancellation);
        var density = new StepDensity(errors.Grid.Sigmas, errors.Kernel);
        double seconds = watch.Elapsed.TotalSeconds / request.Steps.Count;
        return [.. request.Steps.Select(steps =>
        {
            var schedule = new SamplingSchedule(density.Quantiles(steps), request.Terminal);
            return new ScheduleSearchResult
            {
                Schedule = schedule,
                Objective = "mean square at the end of Euler's errors, carried there by the flow",
                Search = InvariantText.Of($"quantiles of the density of steps over {_options.Cells} cells"),
                Loss = MeanEstimate.Of(errors.MeanSquares(HalfSteps(errors.Grid, schedule))),
                NetworkEvaluations = paired.Evaluations,
                StopReason = "fixed point of the density",
                Seconds = seconds,
            };
        })];
    }

    // The integral over each cell of h / 2, h the length of the schedule's step there.
    private static double[] HalfSteps(SamplingSchedule grid, SamplingSchedule schedule)
    {
        var steps = schedule.Sigmas.Zip(schedule.Sigmas.Skip(1), (high, low) => (High: high, Low: low)).ToList();
        return [.. grid.Sigmas.Zip(grid.Sigmas.Skip(1), (high, low) => steps.Sum(
            s => Math.Max(0, Math.Min(high, s.High) - Math.Max(low, s.Low)) * (s.High - s.Low) / 2))];
    }
}

/// <summary>How <see cref="PropagatedOptimizer"/> searches.</summary>
internal sealed record PropagatedOptions
{
    /// <summary>Cells of the grid, over Karras' schedule, 8 to 1,000; default 30.</summary>
    public int Cells { get; init; } = 30;

    /// <summary>Latents, at least 2; default 31, which with 30 cells take no more evaluations than GITS does.</summary>
    public int Latents { get; init; } = 31;

    /// <returns>These options, where they are valid.</returns>
    public PropagatedOptions Checked() => new OptionRules("The search on propagated errors cannot start")
        .Require(Cells is >= 8 and <= 1000, $"the cells must be 8 to 1000, not {Cells}")
        .Require(Latents >= 2, $"there must be at least 2 latents, not {Latents}")
        .Check(this);
}
