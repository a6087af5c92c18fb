using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Fitting;

/// <summary>The runs of all latents in step with each other, so that a step can be fitted on all of them before it is taken. Owns the
/// states.</summary>
internal sealed class LatentRun : IDisposable
{
    private readonly IDenoiser _denoiser;
    private readonly ISolver _solver;
    private readonly SamplingSchedule _schedule;
    private readonly FitLatents _latents;
    private readonly int _memory;
    private readonly Dictionary<int, Batch> _batches;
    private int _index;

    /// <param name="memory">Past steps that are kept.</param>
    /// <param name="batches">The batches that run.</param>
    public LatentRun(
        IDenoiser denoiser, ISolver solver, SamplingSchedule schedule, FitLatents latents, int memory, IEnumerable<int> batches)
    {
        (_denoiser, _solver, _schedule, _latents, _memory) = (denoiser, solver, schedule, latents, memory);
        _batches = batches.ToDictionary(b => b, b => new Batch(latents.Noise(b).Times(schedule.Sigmas[0])));
    }

    /// <summary>Evaluates the denoiser at a batch's states, and takes the base's step from there.</summary>
    /// <returns>The step, whose tensors belong to the run.</returns>
    public SolverStep Begin(int number)
    {
        var batch = _batches[number];
        var output = Denoise(number, batch.State, _solver.NoiseLevel(_schedule, _index));
        var D = DynamicThreshold.For(_solver, output);
        batch.Step = new SolverStep(
            _schedule, _index, batch.State, D.DetachFromDisposeScope(), batch.History,
            (y, s) => DynamicThreshold.For(_solver, Denoise(number, y, s)));
        batch.Result = _solver.Step(batch.Step.Remembering(_solver.HistoryLength));
        batch.Result.Next.DetachFromDisposeScope();
        batch.Result.Corrected?.DetachFromDisposeScope();
        return batch.Step;
    }

    public Tensor BaseNext(int number) => _batches[number].Result.Next;

    /// <summary>Where the base's step would lead to a noise level between its ends; the caller's.</summary>
    public Tensor Between(int number, double sigma) =>
        _solver.Step(_batches[number].Step!.Remembering(_solver.HistoryLength).Until(sigma)).Next;

    /// <summary>Takes the steps that were begun, corrected.</summary>
    public void Finish(StepCorrection correction)
    {
        foreach (var batch in _batches.Values)
            batch.Take(correction, _memory);
        _index++;
    }

    /// <summary>A batch's image after the last step; it belongs to the current dispose scope or to the run.</summary>
    public Tensor End(int number)
    {
        var state = _batches[number].State;
        return _schedule.Terminal == ScheduleTerminal.Zero ? Denoise(number, state, _schedule.Sigmas[^1]) : state;
    }

    public void Dispose()
    {
        foreach (var batch in _batches.Values)
            batch.Dispose();
    }

    private Tensor Denoise(int number, Tensor x, double sigma) => _denoiser.DenoiseAt(x, sigma, _latents.Labels(number));

    private sealed class Batch(Tensor state) : IDisposable
    {
        public Tensor State { get; private set; } = state;
        public List<PastStep> History { get; } = []; // newest first
        public SolverStep? Step { get; set; }
        public SolverResult Result { get; set; }

        public void Take(StepCorrection correction, int memory)
        {
            correction.AddTo(Result.Next, Step!);
            History.Insert(0, Result.Past(Step!));
            foreach (var past in History.Skip(memory))
                Free(past);
            History.RemoveRange(Math.Min(memory, History.Count), Math.Max(0, History.Count - memory));
            (State, Step, Result) = (Result.Next, null, default);
        }

        public void Dispose()
        {
            State.Dispose();
            Step?.Denoised.Dispose();
            if (Step is not null)
            {
                Result.Next?.Dispose();
                Result.Corrected?.Dispose();
            }

            foreach (var past in History)
                Free(past);
        }

        private static void Free(PastStep past)
        {
            past.State.Dispose();
            past.Denoised.Dispose();
            past.Predicted?.Dispose();
        }
    }
}
