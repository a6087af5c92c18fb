using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Search;

/// <summary>
/// GITS (Chen et al. 2024, "On the Trajectory Regularity of ODE-based Diffusion Sampling", arXiv 2405.11326): the points of a fine teacher
/// trajectory that cost least when one Euler step joins each to the next. One teacher run serves every number of steps.
/// </summary>
/// <remarks>The costs are of Euler steps along the teacher's trajectory, so the schedule does not depend on the solver that will use
/// it.</remarks>
internal sealed class GitsOptimizer(ScheduleSearchContext context, GitsOptions? options = null) : IScheduleOptimizer
{
    private const string OptimizerName = "gits";
    private readonly ScheduleSearchContext _context = context.Checked();
    private readonly GitsOptions _options = (options ?? new()).Checked();

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
        var costs = new JumpCosts(
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

/// <summary>How <see cref="GitsOptimizer"/> searches; the defaults are those of the reference implementation (zju-pi/diff-sampler), but for
/// the teacher's solver.</summary>
internal sealed record GitsOptions
{
    public const double LowestCoefficient = 0.1;
    public const double HighestCoefficient = 10;

    /// <summary>Weight of the remaining cost at each jump, 0.1 to 10; default 1.15. Above 1 makes late steps, at small sigmas, count
    /// more.</summary>
    public double Coefficient { get; init; } = 1.15;

    /// <summary>The cost of a jump; default <see cref="GitsMetric.Deviation"/>.</summary>
    public GitsMetric Metric { get; init; } = GitsMetric.Deviation;

    /// <summary>Points of the teacher's trajectory, at least 3; default 61, which are 60 steps.</summary>
    public int Points { get; init; } = 61;

    /// <summary>Where the teacher's points lie; default Karras' schedule with rho 7, the reference's "polynomial".</summary>
    public StandardSchedule Grid { get; init; } = StandardSchedule.Karras();

    /// <summary>The teacher's solver; default Euler, which at 60 steps costs what the reference's iPNDM costs.</summary>
    public ISolver Teacher { get; init; } = new EulerSolver();

    /// <summary>Latents that costs are averaged over, at least 2; default 256.</summary>
    public int Latents { get; init; } = 256;

    /// <returns>These options, where they are valid.</returns>
    public GitsOptions Checked() =>
        new OptionRules("GITS cannot search")
            .Require(Coefficient is >= LowestCoefficient and <= HighestCoefficient,
                $"the coefficient must lie between {LowestCoefficient} and {HighestCoefficient}, not {Coefficient}")
            .Require(Points is >= 3 and <= 2001, $"the teacher's points must be 3 to 2001, not {Points}")
            .Require(Latents >= 2, $"there must be at least 2 latents, not {Latents}")
            .Check(this);
}

/// <summary>What GITS takes for the cost of one jump.</summary>
internal enum GitsMetric
{
    /// <summary>How much farther than the teacher the jump ends from the straight line between the teacher's start and end (L2); may be
    /// negative. The reference implementation's default.</summary>
    Deviation,

    /// <summary>The distance (L2) between where the jump ends and the teacher's point there.</summary>
    Distance,
}
