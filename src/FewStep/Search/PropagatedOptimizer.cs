using FewStep.Sampling;

namespace FewStep.Search;

/// <summary>The schedule on which Euler's errors, as its own further steps pass them on, change the sampled images least. One
/// measurement serves every number of steps.</summary>
/// <remarks>Where a run ends is predicted (<see cref="LinearisedEuler"/>), so that a search over schedules takes no evaluations. The nodes
/// are searched on the grid, alone and in blocks that move together, and then between its points by a Newton step.</remarks>
internal sealed class PropagatedOptimizer(ScheduleSearchContext context, PropagatedOptions? options = null) : IScheduleOptimizer
{
    private const string OptimizerName = "propagated";
    private const string Pixels = "pixels";
    private readonly ScheduleSearchContext _context = context.Checked();
    private readonly PropagatedOptions _options = (options ?? new()).Checked();

    public static ScheduleOptimizerEntry Entry { get; } = new()
    {
        Name = OptimizerName,
        Parameter = Pixels,
        Description = "where Euler ends on any schedule, predicted from its steps' errors beside a fine trajectory: total variation of the "
            + "difference, or with pixels mean square; 702 evaluations a latent, 21 latents, for every N",
        Source = "this project",
        CheckParameter = text => Parse(text),
        Create = (context, parameter) =>
        {
            var options = parameter is null ? new PropagatedOptions() : Parse(parameter);
            return new PropagatedOptimizer(context, options with { Latents = context.Images ?? options.Latents });
        },
    };

    public string Name => OptimizerName;

    public IReadOnlyList<ScheduleSearchResult> Search(
        ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        request.Validate();
        if (request.Steps.Max() > _options.Cells)
        {
            throw new InvalidInputException($"The optimiser {Name} chooses among {_options.Cells + 1} points, so at most {_options.Cells} "
                + $"steps, not {request.Steps.Max()}.");
        }

        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var watch = Stopwatch.StartNew();
        var fine = StandardSchedules.Usual.Create(2 * _options.Cells, request.SigmaMin, request.SigmaMax);
        using var euler = new LinearisedEuler(
            _context.Denoiser, fine, SeedList.Of(_options.Latents, _context.FirstSeed), _context.BatchSize, progress, cancellation);
        var criterion = Criterion(euler.Teacher);
        double shared = watch.Elapsed.TotalSeconds / request.Steps.Count;
        var results = new List<ScheduleSearchResult>();
        foreach (int steps in request.Steps)
        {
            watch.Restart();
            var search = new GridPathSearch(_options.Cells, path =>
            {
                using var inner = NewDisposeScope();
                return criterion(euler.Ends(path));
            });
            var (path, places) = search.Minimise(steps, cancellation);
            results.Add(new ScheduleSearchResult
            {
                Schedule = new SamplingSchedule(places.Select(u => Sigma(euler.Grid, u)), request.Terminal),
                Objective = _options.Pixels ? "predicted mean-square distance to the end of a fine trajectory"
                    : "predicted total variation of the difference from the end of a fine trajectory",
                Search = $"descent on {_options.Cells + 1} points, {search.Tried} predicted schedules, Newton steps",
                Loss = Jackknife(euler.Teacher, euler.Ends(path)),
                NetworkEvaluations = euler.Evaluations,
                StopReason = "no node, block of nodes or Newton step goes to a lower value",
                Seconds = shared + watch.Elapsed.TotalSeconds,
            });
        }

        return results;
    }

    private static PropagatedOptions Parse(string text) => text == Pixels ? new PropagatedOptions { Pixels = true }
        : throw new InvalidInputException($"Schedule optimiser '{OptimizerName}': what follows the colon must be {Pixels}, not "
            + $"'{Printable.Line(text, 40)}'.");

    // Between points as Karras' grid goes on.
    private static double Sigma(SamplingSchedule grid, double place)
    {
        int below = Math.Clamp((int)place, 0, grid.Steps - 1);
        if (place == below)
            return grid.Sigmas[below];

        double Root(int i) => Math.Pow(grid.Sigmas[i], 1 / 7.0);
        return place == below + 1 ? grid.Sigmas[below + 1] : Math.Pow(double.Lerp(Root(below), Root(below + 1), place - below), 7);
    }

    private Func<Tensor, double> Criterion(Tensor teacher)
        => _options.Pixels ? EndpointCriteria.MeanSquare(teacher) : EndpointCriteria.TotalVariation(teacher);

    // A ratio of means is no mean over latents: its interval comes from leaving each latent out.
    private LossEstimate Jackknife(Tensor teacher, Tensor ends)
    {
        int n = (int)teacher.shape[0];
        double all = n * Criterion(teacher)(ends);
        return MeanEstimate.Of([.. Enumerable.Range(0, n).Select(left =>
        {
            using var scope = NewDisposeScope();
            Tensor Others(Tensor x) => cat([x.narrow(0, 0, left), x.narrow(0, left + 1, n - left - 1)]);
            return all - ((n - 1) * Criterion(Others(teacher))(Others(ends)));
        })]);
    }
}

/// <summary>How <see cref="PropagatedOptimizer"/> searches.</summary>
internal sealed record PropagatedOptions
{
    /// <summary>Cells of the grid, over Karras' schedule, 8 to 200; default 36.</summary>
    public int Cells { get; init; } = 36;

    /// <summary>Latents, at least 2; default 21, which with 36 cells take no more evaluations than GITS does.</summary>
    public int Latents { get; init; } = 21;

    /// <summary>Whether the mean square of the difference is minimised rather than its total variation; default false.</summary>
    public bool Pixels { get; init; }

    /// <returns>These options, where they are valid.</returns>
    public PropagatedOptions Checked() => new OptionRules("The search on propagated errors cannot start")
        .Require(Cells is >= 8 and <= 200, $"the cells must be 8 to 200, not {Cells}")
        .Require(Latents >= 2, $"there must be at least 2 latents, not {Latents}")
        .Check(this);
}
