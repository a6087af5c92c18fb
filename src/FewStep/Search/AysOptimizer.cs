using System.Diagnostics;
using FewStep.Noise;
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
internal sealed class AysOptimizer : IScheduleOptimizer
{
    private const string OptimizerName = "ays";
    private readonly ScheduleSearchContext _context;
    private readonly AysOptions _options;

    public AysOptimizer(ScheduleSearchContext context, AysOptions? options = null)
    {
        context.Validate();
        _context = context;
        _options = options ?? new AysOptions();
        _options.Validate();
    }

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
