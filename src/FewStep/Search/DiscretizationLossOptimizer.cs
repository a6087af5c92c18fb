namespace FewStep.Search;

/// <summary>
/// Phase 1 of arXiv 2412.10786 in our reading: the schedules of least discretization loss. One training loss curve serves every number of
/// steps and every weighting; the search itself costs no network evaluation.
/// </summary>
internal sealed class DiscretizationLossOptimizer : IScheduleOptimizer
{
    private const string OptimizerName = "phase1";
    private readonly ILossCurve _curve;
    private readonly LossCurve? _measured;
    private readonly IReadOnlyList<INoiseWeighting> _weightings;
    private readonly int _gridSize;

    /// <summary>Creates the search on a measured curve; losses then carry confidence intervals.</summary>
    public DiscretizationLossOptimizer(LossCurve curve, IReadOnlyList<INoiseWeighting>? weightings = null, int gridSize = 1000)
        : this(curve.Fitted, weightings, gridSize) => _measured = curve;

    /// <summary>Creates the search on a curve whose uncertainty is not known: an exact or a blended one.</summary>
    public DiscretizationLossOptimizer(ILossCurve curve, IReadOnlyList<INoiseWeighting>? weightings = null, int gridSize = 1000)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(gridSize, 128);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(gridSize, 20_000);
        _weightings = weightings ?? Weightings(PowerWeighting.DefaultPower);
        if (_weightings.Count == 0)
            throw new ArgumentException("There is no weighting to search by.", nameof(weightings));
        (_curve, _gridSize) = (curve, gridSize);
    }

    /// <summary>How the catalogue offers it: one weighting, by its power or measured on the model
    /// (<see cref="AmplifiedLossOptimizer"/>).</summary>
    public static ScheduleOptimizerEntry Entry { get; } = new()
    {
        Name = OptimizerName,
        Parameter = $"power or {AmplifiedLossOptimizer.Parameter}",
        Description = "discretization loss: dynamic programme and Newton polish on the training loss curve, which serves every N; no "
            + "evaluations of its own, or 1,566 with the flow's amplification",
        Source = "our reading of arXiv 2412.10786",
        NeedsLossCurve = true,
        CheckParameter = text => _ = text == AmplifiedLossOptimizer.Parameter ? 0 : Power(text),
        Create = (context, parameter) => parameter == AmplifiedLossOptimizer.Parameter
            ? AmplifiedLossOptimizer.Create(context)
            : new DiscretizationLossOptimizer(context.RequireLossCurve(OptimizerName),
                [new PowerWeighting(parameter is null ? PowerWeighting.DefaultPower : Power(parameter))]),
    };

    /// <summary>The two weightings that are told of side by side.</summary>
    internal static IReadOnlyList<string> UsualNames { get; } = [.. Weightings(PowerWeighting.DefaultPower).Select(NameOf)];

    /// <summary>Name in the catalogue of the search by one weighting.</summary>
    internal static string NameOf(PowerWeighting weighting) =>
        weighting.Power == PowerWeighting.DefaultPower ? OptimizerName
            : InvariantText.Of($"{OptimizerName}:{weighting.Power:R}");

    public string Name => OptimizerName;

    /// <summary>The weighting of a power and, beside it, the literal reading's (power 1).</summary>
    public static IReadOnlyList<PowerWeighting> Weightings(double power) =>
        power == PowerWeighting.LiteralPower ? [new PowerWeighting(power)]
            : [new PowerWeighting(power), new PowerWeighting(PowerWeighting.LiteralPower)];

    /// <summary>One of <see cref="Weightings"/> as the catalogue calls it.</summary>
    internal static ScheduleOptimizerChoice Choice(INoiseWeighting weighting) =>
        new(Entry, weighting is PowerWeighting { Power: not PowerWeighting.DefaultPower and var power } ? InvariantText.Of(
            $"{power:R}") : null);

    public IReadOnlyList<ScheduleSearchResult> Search(
        ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        request.Validate();
        List<ScheduleSearchResult> results = [];
        long total = (long)_weightings.Count * request.Steps.Count;
        foreach (var weighting in _weightings)
        {
            var watch = Stopwatch.StartNew();
            double[] grid = [.. StandardSchedule.LogSnr().Create(_gridSize - 1, request.SigmaMin, request.SigmaMax).Sigmas];
            var program = Solve(weighting, grid, request.Steps.Max());
            double shared = watch.Elapsed.TotalSeconds / request.Steps.Count;
            foreach (int steps in request.Steps)
            {
                cancellation.ThrowIfCancellationRequested();
                results.Add(Polished(weighting, new SamplingSchedule(program.Path(steps).Select(j => grid[j]), request.Terminal), shared));
                progress?.Report(new WorkProgress("schedule search", results.Count, total, "schedules"));
            }
        }

        return results;
    }

    private static double Power(string text) => OptimizerParameter.Number(OptimizerName, "power of its weighting", text, -4, 4);

    private ScheduleSearchResult Polished(INoiseWeighting weighting, SamplingSchedule start, double sharedSeconds)
    {
        var watch = Stopwatch.StartNew();
        var polished = SchedulePolish.Polish(_curve, weighting, start);
        return new ScheduleSearchResult
        {
            Schedule = polished.Schedule,
            Objective = $"discretization loss, {weighting.Name}",
            Weighting = weighting.Name,
            Search = InvariantText.Of($"dynamic programme on {_gridSize} sigmas, Newton polish"),
            Loss = _measured is null ? new LossEstimate(polished.Loss)
                : DiscretizationLoss.Estimate(_measured, weighting, polished.Schedule),
            Bound = DiscretizationLoss.Bound(_curve, weighting, polished.Schedule),
            NetworkEvaluations = _measured?.Origin.NetworkEvaluations ?? 0,
            StopReason = InvariantText.Of(
                $"{(polished.Stationary ? "stationary" : "no further decrease")} after {polished.Iterations} Newton iterations, relative "
                    + $"residual {polished.Residual:0.0e+0}"),
            Seconds = sharedSeconds + watch.Elapsed.TotalSeconds,
        };
    }

    private ScheduleDynamicProgram Solve(INoiseWeighting weighting, double[] grid, int maximumSteps)
    {
        double[] losses = Array.ConvertAll(grid, _curve.Loss);
        // Rounding in a curve's flat stretches must not make it fall.
        for (int j = losses.Length - 2; j >= 0; j--)
            losses[j] = Math.Max(losses[j], losses[j + 1]);
        return ScheduleDynamicProgram.Solve(Array.ConvertAll(grid, weighting.Value), losses, maximumSteps);
    }
}
