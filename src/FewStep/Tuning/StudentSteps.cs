using FewStep.Solvers;

namespace FewStep.Tuning;

/// <summary>The steps of the sampler that a model is tuned for, from outputs of the denoiser that may have gradients.</summary>
internal sealed class StudentSteps(Sampler sampler)
{
    private readonly SamplingSchedule _schedule = sampler.Schedule;
    private readonly ISolver _solver = sampler.Solver;

    /// <summary>Levels where the denoiser is evaluated: N, and one more where the terminal rule is zero.</summary>
    public int Levels { get; } = sampler.Steps + (sampler.Schedule.Terminal == ScheduleTerminal.Zero ? 1 : 0);

    /// <summary>The noise level that the network is told at a level [B].</summary>
    public Tensor Told(int level, Tensor x)
    {
        double sigma = level < _schedule.Steps ? _solver.NoiseLevel(_schedule, level) : _schedule.Sigmas[^1];
        return TensorArithmetic.Full([x.shape[0]], sigma, x.dtype, x.device);
    }

    /// <summary>Takes a step; past steps are newest first, as this one is kept before them.</summary>
    /// <returns>The next state, which after the last sigma is D itself, and the past steps for the step after it.</returns>
    public (Tensor Next, IReadOnlyList<PastStep> Past) Step(int level, Tensor x, Tensor D, IReadOnlyList<PastStep> past)
    {
        if (level == _schedule.Steps)
            return (D, past);
        var step = new SolverStep(_schedule, level, x, D, past,
            (_, _) => throw new InvalidOperationException($"{_solver.Name} asked for a second evaluation."));
        var result = _solver.Step(step);
        return (result.Next, [.. new[] { result.Past(step) }.Concat(past).Take(_solver.HistoryLength)]);
    }
}
