namespace FewStep.Search;

/// <summary>
/// DM-NonUniform (Xue et al., "Accelerating Diffusion Sampling with Optimized Time Steps", CVPR 2024, arXiv 2402.17376): the steps of least
/// error bound of an exponential multistep solver. It looks at no model and costs no network evaluation.
/// </summary>
/// <remarks>
/// The bound is <see cref="DmNonUniformObjective"/>; it is the authors', in sigma. Simplified: the order of the noise levels is kept by a
/// change of variables and a quasi-Newton method in place of scipy's constrained trust region; three starts (log-SNR, Karras, uniform t)
/// are tried and the best end is kept, where the authors choose the start by the kind of model; the model's own noise schedule plays no
/// part but for its ends, and the error model is that of variance-preserving diffusion for every model, as in the paper. With order 1 and
/// power 1 the optimum is exactly log-SNR.
/// </remarks>
internal sealed class DmNonUniformOptimizer : IScheduleOptimizer
{
    /// <summary>The power p by default, 1: what the authors recommend for models of pixels.</summary>
    public const double DefaultPower = 1;

    private const string OptimizerName = "dm-nonuniform";
    private const int MaximumIterations = 500;
    private static readonly StandardSchedule[] Starts =
        [StandardSchedule.LogSnr(), StandardSchedules.Usual, StandardSchedules.Find("uniform-t")];
    private readonly string _name;
    private readonly DmNonUniformObjective _objective;

    public DmNonUniformOptimizer(int order = 3, double power = DefaultPower)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(order, 3);
        if (!(power is >= 0 and <= 3))
            throw new ArgumentOutOfRangeException(nameof(power), power, "The power must lie between 0 and 3.");
        _name = InvariantText.Of($"DM-NonUniform's error bound, order {order}, power {power}");
        _objective = new DmNonUniformObjective(order, power);
    }

    /// <summary>How the catalogue offers it: for the order of the context's solver, at most 3.</summary>
    public static ScheduleOptimizerEntry Entry { get; } = new()
    {
        Name = OptimizerName,
        Parameter = "power",
        Description = "error bound of a multistep solver of the same order from its coefficients alone, by a quasi-Newton method; power 1 "
            + "for pixels, 2 for latents; no evaluations",
        Source = "Xue et al., CVPR 2024 (arXiv 2402.17376)",
        IsForSolver = true,
        CheckParameter = text => Power(text),
        Create = (context, parameter) => new DmNonUniformOptimizer(
            Math.Clamp(context.Solver.Order, 1, 3), parameter is null ? DefaultPower : Power(parameter)),
    };

    public string Name => OptimizerName;

    public IReadOnlyList<ScheduleSearchResult> Search(
        ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        request.Validate();
        List<ScheduleSearchResult> results = [];
        foreach (int steps in request.Steps)
        {
            results.Add(One(steps, request, cancellation));
            progress?.Report(new WorkProgress("schedule search", results.Count, request.Steps.Count, "schedules"));
        }

        return results;
    }

    /// <summary>The bound of a schedule: what the search minimises.</summary>
    public double Bound(SamplingSchedule schedule) => _objective.Evaluate(Lambdas(schedule));

    private static double Power(string text) => OptimizerParameter.Number(OptimizerName, "power of the error model", text, 0, 3);
    private static double[] Lambdas(SamplingSchedule schedule) => [.. schedule.Sigmas.Select(s => -Math.Log(s))];

    private ScheduleSearchResult One(int steps, ScheduleSearchRequest request, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        var descent = new DmNonUniformDescent(points => _objective.Evaluate(points));
        SamplingSchedule? best = null;
        double least = double.PositiveInfinity;
        string reason = "";
        foreach (var schedule in steps == 1 ? Starts[..1] : Starts)
        {
            var start = schedule.Create(steps, request.SigmaMin, request.SigmaMax, request.Terminal);
            Keep(start, $"the start {schedule.Name} is the best");
            if (steps > 1)
            {
                var end = descent.Descend(Lambdas(start), MaximumIterations, cancellation);
                var sigmas = end.Points.Select(
                    (lambda, i) => i == 0 ? request.SigmaMax : i == steps ? request.SigmaMin : Math.Exp(-lambda));
                Keep(new SamplingSchedule(sigmas, request.Terminal), $"{(end.Converged ? "no further decrease" : "iteration limit")} after "
                    + $"{end.Iterations} iterations from {schedule.Name}, the best of {Starts.Length} starts");
            }
        }

        return new ScheduleSearchResult
        {
            Schedule = best!,
            Objective = _name,
            Search = "BFGS over the logarithms of the gaps in ln sigma",
            Loss = new LossEstimate(least),
            NetworkEvaluations = 0,
            StopReason = steps == 1 ? "one step leaves no choice" : reason,
            Seconds = watch.Elapsed.TotalSeconds,
        };

        void Keep(SamplingSchedule candidate, string why)
        {
            double bound = Bound(candidate);
            if (bound < least)
                (best, least, reason) = (candidate, bound, why);
        }
    }
}
