using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Fitting;

/// <summary>What a sampler's states are made of: of the start and of the denoiser's outputs.</summary>
internal static class OutputWeights
{
    /// <returns>For each step the weights of x_0 and of the outputs, in the order of their evaluation, in the state that it leads
    /// to.</returns>
    public static double[][] Of(ISolver solver, SamplingSchedule schedule)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var basis = new Basis((schedule.Steps * solver.EvaluationsPerStep) + 2);
        using var start = zeros(basis.Shape.Batch(1), float64);
        start[0, 0, 0, 0] = 1 / schedule.Sigmas[0];
        List<double[]> states = [];
        var loop = new SamplingLoop(basis, solver, schedule);
        var end = loop.Sample(start, observe: point => states.Add([.. point.State.data<double>()])).Samples;
        return [.. states.Skip(1).Take(schedule.Steps - 1), [.. end.data<double>()]];
    }

    // Answers evaluation k with unit vector k; the start is the 0-th.
    private sealed class Basis(int length) : IDenoiser
    {
        private int _evaluations;

        public ImageShape Shape { get; } = new(1, 1, length);
        public int Classes => 0;
        public double SigmaMin => double.Epsilon;
        public double SigmaMax => double.MaxValue;

        public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
        {
            var output = zeros_like(x);
            output[0, 0, 0, Math.Min(++_evaluations, length - 1)] = 1;
            return output;
        }
    }
}
