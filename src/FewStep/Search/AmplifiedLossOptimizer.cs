using System.Diagnostics;
using FewStep.Denoising;
using FewStep.Platform;

namespace FewStep.Search;

/// <summary>
/// Phase 1 with the weighting of the model's own flow: measures its amplification (<see cref="MeasuredAmplificationEstimator"/>), then finds the schedules of least discretization loss under
/// <see cref="MeasuredAmplificationWeighting"/>. The amplification costs 1,566 network evaluations by default, beside those of the loss curve, and serves every number of steps.
/// </summary>
/// <param name="curve">The model's training loss curve.</param>
/// <param name="denoiser">The model; not disposed.</param>
/// <param name="options">How to measure the amplification; null for the defaults.</param>
public sealed class AmplifiedLossOptimizer(LossCurve curve, IDenoiser denoiser, MeasuredAmplificationOptions? options = null) : IScheduleOptimizer
{
    /// <summary>What follows <c>phase1:</c> in the catalogue.</summary>
    public const string Parameter = "amplification";

    private static string FullName => $"{DiscretizationLossOptimizer.Entry.Name}:{Parameter}";

    private readonly MeasuredAmplificationEstimator _estimator = new(denoiser, options);
    private (double SigmaMax, double SigmaMin, MeasuredAmplification Measured)? _last;

    /// <inheritdoc/>
    public string Name => FullName;

    /// <summary>Makes the optimiser from what the catalogue's optimisers get.</summary>
    /// <param name="context">The model, its loss curve and the latents' seeds. <see cref="ScheduleSearchContext.Images"/> is the number of latents.</param>
    /// <exception cref="InvalidInputException">There is no loss curve, or a value is out of range.</exception>
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
    /// <param name="sigmaMax">Start of the path.</param>
    /// <param name="sigmaMin">Its end, above 0.</param>
    /// <param name="progress">Receives how far the measurement is; null for nobody.</param>
    /// <param name="cancellation">Stops the measurement.</param>
    /// <exception cref="InvalidInputException">The model's outputs are not finite.</exception>
    /// <exception cref="OperationCanceledException">The measurement was cancelled.</exception>
    public MeasuredAmplification Measured(double sigmaMax, double sigmaMin, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (_last is not { } last || last.SigmaMax != sigmaMax || last.SigmaMin != sigmaMin)
        {
            last = (sigmaMax, sigmaMin, _estimator.Measure(sigmaMax, sigmaMin, progress, cancellation));
            _last = last;
        }

        return last.Measured;
    }

    /// <inheritdoc/>
    public IReadOnlyList<ScheduleSearchResult> Search(ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        request.Validate();
        var watch = Stopwatch.StartNew();
        var measured = Measured(request.SigmaMax, request.SigmaMin, progress, cancellation);
        double shared = watch.Elapsed.TotalSeconds / request.Steps.Count;
        var search = new DiscretizationLossOptimizer(curve, [new MeasuredAmplificationWeighting(measured)]);
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
