using FewStep.Sampling;

namespace FewStep.Search;

/// <summary>
/// The schedule on which the context's solver ends nearest to a fine teacher that starts at the same latents: a search without derivatives
/// from the best of the standard schedules, GITS' and Phase 1's, for any solver.
/// </summary>
/// <remarks>
/// The objective is what a user of the solver sees, so it holds for multistep solvers too, whose errors the bounds of one-step methods do
/// not describe. It is measured on few latents; the reported loss is of others, held out. The idea is common (e.g. LD3, 2405.15506, which
/// minimises a perceptual distance by gradients through the solver); the search is ours.
/// </remarks>
internal sealed class EndpointOptimizer(ScheduleSearchContext context, EndpointOptions? options = null) : IScheduleOptimizer
{
    private const string OptimizerName = "endpoint";
    private const int RunsPerStep = 25;
    private readonly ScheduleSearchContext _context = context.Checked();
    private readonly EndpointOptions _options = (options ?? new()).Checked();

    public static ScheduleOptimizerEntry Entry { get; } = new()
    {
        Name = OptimizerName,
        Description = "mean-square distance of the solver's endpoint to a fine teacher's from the same latents: refines the best of the "
            + "other schedules for this very solver; up to 25 N runs of the sampler on 64 latents, for each N",
        Source = "this project",
        IsForSolver = true,
        Create = (context, _) => new EndpointOptimizer(
            context, context.Images is int latents ? new EndpointOptions { Latents = latents } : null),
    };

    public string Name => OptimizerName;

    public IReadOnlyList<ScheduleSearchResult> Search(
        ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        request.Validate();
        var paired = _context.Sampling();
        using var seen = request.WithHeun(paired, SeedList.Of(_options.Latents, _context.FirstSeed), _options.TeacherSteps, cancellation);
        using var heldOut = request.WithHeun(
            paired, SeedList.Of(_options.HeldOutLatents, _context.FirstSeed + _options.Latents), _options.TeacherSteps, cancellation);
        // The others count for themselves, be it with the same counter.
        long shared = paired.Evaluations;
        var phase1 = _context.LossCurve is { } curve
            ? new DiscretizationLossOptimizer(curve(), [new PowerWeighting()]).Search(request, null, cancellation) : null;
        var onSame = new GitsOptions { Latents = _options.Latents };
        var gits = _options.StartFromGits && request.Steps.Max() < onSame.Points
            ? new GitsOptimizer(_context, onSame).Search(request, progress, cancellation) : null;
        shared += (phase1?[0].NetworkEvaluations ?? 0) + (gits?[0].NetworkEvaluations ?? 0);
        var results = new List<ScheduleSearchResult>();
        for (int i = 0; i < request.Steps.Count; i++)
        {
            int steps = request.Steps[i];
            var starts = StandardSchedules.Baselines.Select(name => (Name: name,
                StandardSchedules.Find(name).Create(steps, request.SigmaMin, request.SigmaMax, request.Terminal).Sigmas)).ToList();
            starts.AddRange(phase1 is null ? [] : [(DiscretizationLossOptimizer.Entry.Name, phase1[i].Schedule.Sigmas)]);
            starts.AddRange(gits is null ? [] : [("gits", gits[i].Schedule.Sigmas)]);
            var run = new EndpointSearch(
                _context.Solver, seen, paired, request, _options.Tolerance, _options.MaximumEvaluations, RunsPerStep * steps);
            var watch = Stopwatch.StartNew();
            long before = paired.Evaluations;
            var found = run.Refine(starts, value => progress?.Report(new WorkProgress($"endpoint search, N = {steps}", run.Runs,
                RunsPerStep * steps, "runs", InvariantText.Of($"distance {value:G4}"))), cancellation);
            results.Add(new ScheduleSearchResult
            {
                Schedule = found.Schedule,
                Objective = $"mean-square endpoint distance to {_options.TeacherSteps} Heun steps, held-out latents, solver "
                    + $"{_context.Solver.Name}",
                Search = $"probe search in ln sigma on {_options.Latents} latents, started from {found.Start}",
                Loss = MeanEstimate.Of(heldOut.MeanSquares(_context.Solver, found.Schedule, cancellation)),
                NetworkEvaluations = shared + paired.Evaluations - before,
                StopReason = InvariantText.Of($"{found.Stop}; {found.StartValue:G4} became {found.Value:G4} on the latents searched"),
                Seconds = watch.Elapsed.TotalSeconds,
            });
        }

        return results;
    }
}

internal sealed record EndpointOptions
{
    /// <summary>Latents that the distance is minimised on, at least 2; default 64.</summary>
    public int Latents { get; init; } = 64;

    /// <summary>Further latents on which the found schedule's distance is reported, at least 2; default 64.</summary>
    public int HeldOutLatents { get; init; } = 64;

    /// <summary>Heun steps of the teacher on Karras' schedule, at least 2; default 40, which are 80 evaluations a latent.</summary>
    public int TeacherSteps { get; init; } = 40;

    /// <summary>Most network evaluations of the search for one number of steps N, without teacher and starts; null (default) for as many as
    /// 25 N runs of the sampler over the latents take: 25,600 for 4 Euler steps.</summary>
    public long? MaximumEvaluations { get; init; }

    /// <summary>Stop when an iteration lowers the distance by less than this share, 0 to 0.5; default 0.002.</summary>
    public double Tolerance { get; init; } = 0.002;

    /// <summary>Starts beside the standard schedules: whether GITS searches on the same latents (60 evaluations each); default
    /// true.</summary>
    public bool StartFromGits { get; init; } = true;

    /// <returns>These options, where they are valid.</returns>
    public EndpointOptions Checked() =>
        new OptionRules("The endpoint search cannot start")
            .Require(Latents >= 2 && HeldOutLatents >= 2,
                $"there must be at least 2 latents to search and 2 held out, not {Latents} and {HeldOutLatents}")
            .Require(TeacherSteps is >= 2 and <= 10_000, $"the teacher's steps must be 2 to 10000, not {TeacherSteps}")
            .Require(MaximumEvaluations is null or >= 0, $"the most evaluations must be at least 0, not {MaximumEvaluations}")
            .Require(Tolerance is >= 0 and <= 0.5, $"the tolerance must lie between 0 and 0.5, not {Tolerance}")
            .Check(this);
}
