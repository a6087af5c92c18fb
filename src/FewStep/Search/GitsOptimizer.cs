using System.Diagnostics;
using FewStep.Noise;
using FewStep.Sampling;

namespace FewStep.Search;

/// <summary>
/// GITS (Chen et al. 2024, "On the Trajectory Regularity of ODE-based Diffusion Sampling", arXiv 2405.11326): the points of a fine teacher
/// trajectory that cost least when one Euler step joins each to the next. One teacher run serves every number of steps.
/// </summary>
/// <remarks>The costs are of Euler steps along the teacher's trajectory, so the schedule does not depend on the solver that will use
/// it.</remarks>
internal sealed class GitsOptimizer : IScheduleOptimizer
{
    private const string OptimizerName = "gits";
    private readonly ScheduleSearchContext _context;
    private readonly GitsOptions _options;

    public GitsOptimizer(ScheduleSearchContext context, GitsOptions? options = null)
    {
        context.Validate();
        _context = context;
        _options = options ?? new GitsOptions();
        _options.Validate();
    }

    /// <summary>How the catalogue offers it: the coefficient after the colon, and after another <c>distance</c> for that metric.</summary>
    public static ScheduleOptimizerEntry Entry { get; } = new()
    {
        Name = OptimizerName,
        Parameter = "coefficient",
        Description = "deviation of one-Euler-step jumps from a 60-step teacher's trajectory, later jumps weighted by the coefficient "
            + "(1.15): dynamic programme; 60 evaluations a latent, 256 latents, for every N",
        Source = "Chen et al. 2024, arXiv 2405.11326",
        CheckParameter = text => Parse(text),
        Create = (context, parameter) =>
        {
            var options = parameter is null ? new GitsOptions() : Parse(parameter);
            return new GitsOptimizer(context, options with { Latents = context.Images ?? options.Latents });
        },
    };

    public string Name => OptimizerName;

    public IReadOnlyList<ScheduleSearchResult> Search(
        ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        request.Validate();
        if (request.Steps.Max() > _options.Points - 1)
        {
            throw new InvalidInputException(
                $"GITS chooses among {_options.Points} points, so at most {_options.Points - 1} steps, not {request.Steps.Max()}.");
        }

        var watch = Stopwatch.StartNew();
        var paired = _context.Sampling();
        var fine = _options.Grid.Create(_options.Points - 1, request.SigmaMin, request.SigmaMax);
        var costs = JumpCosts.Measure(
            paired, _options.Teacher, fine, SeedList.Of(_options.Latents, _context.FirstSeed), _options.Metric, progress, cancellation);
        var program = JumpCostProgram.Solve(costs.Mean, request.Steps.Max(), _options.Coefficient);
        double seconds = watch.Elapsed.TotalSeconds / request.Steps.Count;
        return [.. request.Steps.Select(steps => new ScheduleSearchResult
        {
            Schedule = new SamplingSchedule(program.Path(steps).Select(i => fine.Sigmas[i]), request.Terminal),
            Objective = InvariantText.Of($"GITS, {(_options.Metric == GitsMetric.Deviation ? "deviation" : "distance")} of one-step "
                    + $"jumps, coefficient {_options.Coefficient}"),
            Search = $"dynamic programme on {_options.Points} points of a {_options.Teacher.Name} trajectory",
            Loss = MeanEstimate.Of(costs.PathCosts(program.Path(steps), _options.Coefficient)),
            NetworkEvaluations = paired.Evaluations,
            StopReason = "global optimum on the grid",
            Seconds = seconds,
        })];
    }

    private static GitsOptions Parse(string text)
    {
        string[] parts = text.Split(':', 2);
        double coefficient = OptimizerParameter.Number(
            OptimizerName, "coefficient", parts[0], GitsOptions.LowestCoefficient, GitsOptions.HighestCoefficient);
        var metric = parts.ElementAtOrDefault(1) switch
        {
            null or "deviation" => GitsMetric.Deviation,
            "distance" => GitsMetric.Distance,
            _ => throw new InvalidInputException($"Schedule optimiser '{OptimizerName}': what follows the coefficient must be deviation or "
                + "distance, as in gits:1.15:distance."),
        };
        return new GitsOptions { Coefficient = coefficient, Metric = metric };
    }
}
