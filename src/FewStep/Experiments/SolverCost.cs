using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Experiments;

/// <summary>Network evaluations of a solver's run, counted on a single value with a denoiser that knows nothing.</summary>
internal static class SolverCost
{
    private const double SigmaMin = 0.002, SigmaMax = 80;

    /// <summary>Evaluations an image of a run.</summary>
    public static int Evaluations(ISolver solver, SamplingSchedule schedule)
    {
        using var scope = NewDisposeScope();
        var loop = new SamplingLoop(new Blank(), solver, schedule);
        return checked((int)loop.SampleSeeded(zeros(1, 1, 1, 1, dtype: float64), [0]).Evaluations);
    }

    /// <summary>Evaluations an image of a run of so many steps, on a usual schedule.</summary>
    public static int Evaluations(ISolver solver, int steps) =>
        Evaluations(solver, StandardSchedule.Karras().Create(steps, SigmaMin, SigmaMax));

    /// <summary>The number of steps whose run takes exactly so many evaluations.</summary>
    public static int? StepsFor(ISolver solver, int evaluations)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(evaluations, 1);
        // A step takes at least one evaluation, and more steps never take fewer.
        int low = 1, high = evaluations;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = Evaluations(solver, middle) <= evaluations ? (middle, high) : (low, middle - 1);
        }

        return Evaluations(solver, low) == evaluations ? low : null;
    }

    private sealed class Blank : IDenoiser
    {
        public ImageShape Shape { get; } = new(1, 1, 1);
        public int Classes => 0;
        double IDenoiser.SigmaMin => SolverCost.SigmaMin;
        double IDenoiser.SigmaMax => SolverCost.SigmaMax;

        public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels) => zeros_like(x);
    }
}
