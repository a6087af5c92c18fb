namespace FewStep.Search;

/// <summary>Phase 1 with the weighting of the model's own flow, whose amplification costs 1,566 network evaluations by default, beside
/// those of the loss curve, and serves every number of steps.</summary>
/// <param name="denoiser">The model; not disposed.</param>
internal sealed class AmplifiedLossOptimizer(
    LossCurve curve, IDenoiser denoiser, MeasuredAmplificationOptions? options = null) : IScheduleOptimizer
{
    public const string Parameter = "amplification";

    private static string FullName => $"{DiscretizationLossOptimizer.Entry.Name}:{Parameter}";

    private readonly MeasuredAmplificationEstimator _estimator = new(denoiser, options);
    private (double SigmaMax, double SigmaMin, MeasuredAmplification Measured)? _last;

    public string Name => FullName;

    public static AmplifiedLossOptimizer Create(ScheduleSearchContext context)
    {
        var usual = new MeasuredAmplificationOptions();
        return new AmplifiedLossOptimizer(context.RequireLossCurve(FullName), context.Denoiser, usual with
        {
            Latents = context.Images ?? usual.Latents,
            FirstSeed = context.FirstSeed,
            BatchSize = Math.Max(2, context.BatchSize),
        });
    }

    /// <summary>The amplification between two noise levels, measured when first asked for.</summary>
    public MeasuredAmplification Measured(
        double sigmaMax, double sigmaMin, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (_last is not { } last || last.SigmaMax != sigmaMax || last.SigmaMin != sigmaMin)
        {
            last = (sigmaMax, sigmaMin, _estimator.Measure(sigmaMax, sigmaMin, progress, cancellation));
            _last = last;
        }

        return last.Measured;
    }

    public IReadOnlyList<ScheduleSearchResult> Search(
        ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        request.Validate();
        var watch = Stopwatch.StartNew();
        var measured = Measured(request.SigmaMax, request.SigmaMin, progress, cancellation);
        double shared = watch.Elapsed.TotalSeconds / request.Steps.Count;
        var search = new DiscretizationLossOptimizer(curve, [new MeasuredAmplificationWeighting(measured.Sigmas, measured.Values)]);
        return
        [
            .. search.Search(request, progress, cancellation).Select(result => result with
            {
                NetworkEvaluations = result.NetworkEvaluations + measured.NetworkEvaluations,
                Seconds = result.Seconds + shared,
            }),
        ];
    }
}
