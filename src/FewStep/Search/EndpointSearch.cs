using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Search;

/// <summary>The endpoint search for one number of steps: the best of some starts, refined within a budget of network evaluations.</summary>
internal sealed class EndpointSearch(
    ISolver solver, PairedComparison distance, PairedSampling paired, ScheduleSearchRequest request, double tolerance,
    long? maximumEvaluations, int maximumRuns)
{
    public sealed record Found(SamplingSchedule Schedule, string Start, double StartValue, double Value, string Stop);

    /// <summary>Runs of the sampler over the latents after the starts.</summary>
    public int Runs { get; private set; }

    /// <summary>Tries the starts and refines the best.</summary>
    public Found Refine(
        IReadOnlyList<(string Name, ImmutableArray<double> Sigmas)> starts, Action<double> told, CancellationToken cancellation)
    {
        long beforeStarts = paired.Evaluations;
        LeastSquaresPoint? best = null;
        string bestName = "";
        foreach (var (name, sigmas) in starts)
        {
            var point = At([.. sigmas[1..^1].Reverse().Select(s => Math.Log(s))], cancellation);
            if (best is null || point.Value < best.Value)
            {
                best?.Dispose();
                (best, bestName) = (point, name);
            }
            else
            {
                point.Dispose();
            }
        }

        double startValue = best!.Value;
        long before = paired.Evaluations;
        long aRun = (before - beforeStarts) / starts.Count; // every run of a solver over as many steps costs the same
        var search = new ProbeSearch(
            Math.Log(request.SigmaMin),
            Math.Log(request.SigmaMax),
            position =>
            {
                if (maximumEvaluations is long limit ? paired.Evaluations - before + aRun > limit : Runs >= maximumRuns)
                    return null;
                Runs++;
                return At(position, cancellation);
            },
            tolerance);
        using var found = search.Minimise(best, told);
        string stop = InvariantText.Of(
            $"{(search.Converged ? $"an iteration lowered it by less than {100 * tolerance} %" : "evaluation budget spent")} after "
                + $"{search.Iterations} iterations, {Runs} runs");
        return new Found(Schedule(found.Position), bestName, startValue, found.Value, stop);
    }

    private LeastSquaresPoint At(double[] position, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        return new LeastSquaresPoint(position, distance.Residuals(solver, Schedule(position), cancellation));
    }

    // Positions are ln sigma of the inner noise levels, increasing.
    private SamplingSchedule Schedule(double[] position)
        => new([request.SigmaMax, .. position.Reverse().Select(u => Math.Exp(u)), request.SigmaMin], request.Terminal);
}
