using FewStep.Sampling;

namespace FewStep.Search;

/// <summary>
/// OptimalSteps (Pei et al. 2025, "Optimal Stepsize for Diffusion Sampling", arXiv 2503.21774): recursion to a fine teacher. The best
/// student of k steps that ends at a teacher's point comes from the best student of k-1 steps at some earlier point; best is who ends
/// nearest to the teacher there. Errors that the student made before are in its state, so they count.
/// </summary>
/// <remarks>
/// The student's steps are Euler's, as in the paper. The paper searches for each image alone; here all latents share one schedule, chosen
/// by their mean-square distance. A recursion over the best states is no global optimum of the last distance: a worse state may lead to a
/// better end.
/// </remarks>
internal sealed class OptimalStepsOptimizer : IScheduleOptimizer
{
    private const int DefaultLatents = 32;
    private const int DefaultTeacherSteps = 100;
    private const string OptimizerName = "optimal-steps";
    private readonly ScheduleSearchContext _context;
    private readonly int _teacherSteps;

    /// <summary>Creates the search. It holds the states of all latents at all points in memory: about 12 teacherSteps latents dimension
    /// bytes.</summary>
    public OptimalStepsOptimizer(ScheduleSearchContext context, int teacherSteps = DefaultTeacherSteps)
    {
        _context = context.Checked();
        _teacherSteps = new OptionRules("OptimalSteps cannot search")
            .Require(teacherSteps is >= 1 and <= 1000, $"the teacher's steps must be 1 to 1000, not {teacherSteps}").Check(teacherSteps);
    }

    public static ScheduleOptimizerEntry Entry { get; } = new()
    {
        Name = OptimizerName,
        Parameter = "teacher's steps",
        Description = "mean-square distance of an Euler student to a 100-step teacher: recursion over (steps, teacher's point) with the "
            + "student's own states; about 100 (N + 1) evaluations a latent, 32 latents, for every N at once",
        Source = "Pei et al. 2025, arXiv 2503.21774",
        CheckParameter = text => Parse(text),
        Create = (context, parameter) => new OptimalStepsOptimizer(context, parameter is null ? DefaultTeacherSteps : Parse(parameter)),
    };

    public string Name => OptimizerName;

    public IReadOnlyList<ScheduleSearchResult> Search(
        ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        request.Validate();
        if (request.Steps.Max() > _teacherSteps)
        {
            throw new InvalidInputException(
                $"OptimalSteps chooses among a teacher's {_teacherSteps} steps, so at most as many, not {request.Steps.Max()}.");
        }

        var watch = Stopwatch.StartNew();
        var paired = _context.Sampling();
        var fine = StandardSchedule.Karras().Create(_teacherSteps, request.SigmaMin, request.SigmaMax);
        using var recursion = new StudentRecursion(
            paired, fine, SeedList.Of(_context.Images ?? DefaultLatents, _context.FirstSeed), _context.BatchSize, progress, cancellation);
        int maximum = request.Steps.Max();
        for (int steps = 1; steps <= maximum; steps++)
        {
            recursion.AddStep(cancellation);
            progress?.Report(new WorkProgress("student recursion", steps, maximum, "steps"));
        }

        double seconds = watch.Elapsed.TotalSeconds / request.Steps.Count;
        return [.. request.Steps.Select(steps => new ScheduleSearchResult
        {
            Schedule = new SamplingSchedule(recursion.Path(steps).Select(i => fine.Sigmas[i]), request.Terminal),
            Objective = $"mean-square distance to the end of {_teacherSteps} Euler steps, recursively",
            Search = $"recursion over {_teacherSteps + 1} points with the student's states",
            Loss = MeanEstimate.Of(recursion.Distances(steps)),
            NetworkEvaluations = paired.Evaluations,
            StopReason = "end of the recursion",
            Seconds = seconds,
        })];
    }

    private static int Parse(string text)
    {
        double steps = OptimizerParameter.Number(OptimizerName, "number of the teacher's steps", text, 1, 1000);
        return steps == Math.Floor(steps)
            ? (int)steps
            : throw new InvalidInputException(
                $"Schedule optimiser '{OptimizerName}': the teacher's steps must be a whole number, not {steps}.");
    }
}
