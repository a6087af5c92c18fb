using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Solvers;
using static TorchSharp.torch;

namespace FewStep.Sampling;

/// <summary>Runs a solver over a sampling schedule: the only loop of its kind. One run at a time.</summary>
public sealed class Sampler
{
    private readonly IDenoiser _denoiser;
    private readonly CountingDenoiser _counter;

    /// <summary>Creates a sampler.</summary>
    /// <param name="denoiser">The denoiser; not disposed here.</param>
    /// <param name="solver">The solver.</param>
    /// <param name="schedule">Where it steps.</param>
    /// <param name="options">Deviations from the plain run; null for none.</param>
    public Sampler(IDenoiser denoiser, ISolver solver, SamplingSchedule schedule, SamplerOptions? options = null)
    {
        Options = options ?? new SamplerOptions();
        _counter = Options.NetworkCounter ?? new CountingDenoiser(denoiser);
        _denoiser = Options.NetworkCounter is null ? _counter : denoiser;
        (Solver, Schedule) = (solver, schedule);
    }

    /// <summary>The solver.</summary>
    public ISolver Solver { get; }

    /// <summary>The schedule.</summary>
    public SamplingSchedule Schedule { get; }

    /// <summary>Deviations from the plain run.</summary>
    public SamplerOptions Options { get; }

    /// <summary>Shape of the images.</summary>
    public ImageShape Shape => _denoiser.Shape;

    /// <summary>Number of the denoiser's classes; 0 without.</summary>
    public int Classes => _denoiser.Classes;

    /// <summary>Samples one batch: from latents times sigma_0 down the schedule. The same arguments give the same images.</summary>
    /// <param name="latents">Unit noise [B,C,H,W], float32 or float64, whose type and device the solver's state keeps; not changed and not disposed.</param>
    /// <param name="labels">Class indices int64 [B] on the same device, -1 for "no class"; null stands for -1 everywhere.</param>
    /// <param name="observe">Called at each sigma in turn; null for none.</param>
    /// <param name="cancellationToken">Stops the run between two steps.</param>
    /// <exception cref="ArgumentException">The latents have the wrong type or shape.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public SamplingResult Sample(Tensor latents, Tensor? labels = null, Action<TrajectoryPoint>? observe = null, CancellationToken cancellationToken = default)
    {
        CheckLatents(latents);
        long before = _counter.Images;
        using var _ = no_grad();
        using var history = new SolverHistory(Solver.HistoryLength);
        using var run = NewDisposeScope();
        var x = latents * Schedule.Sigmas[0];
        for (int i = 0; i < Schedule.Steps; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            x = Step(i, x, labels, history, observe);
        }

        cancellationToken.ThrowIfCancellationRequested();
        double last = Schedule.Sigmas[^1];
        var D = Schedule.Terminal == ScheduleTerminal.Zero ? Denoise(x, last, labels) : null;
        observe?.Invoke(new TrajectoryPoint(Schedule.Steps, last, x, D));
        long evaluations = _counter.Images - before;
        return new SamplingResult((D ?? x).MoveToOuterDisposeScope(), evaluations, (double)evaluations / latents.shape[0]);
    }

    // Takes x over and returns the next state; whatever else the step made is gone afterwards, or in the history.
    private Tensor Step(int i, Tensor x, Tensor? labels, SolverHistory history, Action<TrajectoryPoint>? observe)
    {
        using var scope = NewDisposeScope();
        scope.Attach(x);
        double sigma = Schedule.Sigmas[i];
        var D = i == 0 && Options.AnalyticalFirstStep ? StandardNormalDenoised(x, sigma) : Denoise(x, sigma, labels);
        var step = new SolverStep(Schedule, i, x, D, history.Steps, (y, s) => Denoise(y, s, labels));
        var result = Solver.Step(step);
        var state = result.Corrected ?? x;
        observe?.Invoke(new TrajectoryPoint(i, sigma, state, D));
        if (Solver.HistoryLength > 0)
        {
            history.Push(new PastStep(sigma, state.DetachFromDisposeScope(), D.DetachFromDisposeScope()));
        }

        return result.Next.MoveToOuterDisposeScope();
    }

    private Tensor Denoise(Tensor x, double sigma, Tensor? labels)
    {
        using var s = full(1, sigma, dtype: x.dtype, device: x.device);
        return _denoiser.Denoise(x, s, labels);
    }

    // The D whose slope (x - D) / sigma is x / sqrt(1 + sigma^2): 1 - sigma / sqrt(1 + sigma^2), written without a difference.
    private static Tensor StandardNormalDenoised(Tensor x, double sigma)
    {
        double root = Math.Sqrt(1 + sigma * sigma);
        return x / (root * (root + sigma));
    }

    private void CheckLatents(Tensor latents)
    {
        if (latents.dtype is not (ScalarType.Float32 or ScalarType.Float64))
        {
            throw new ArgumentException($"Latents are {latents.dtype}; the solver's state must be float32 or float64.", nameof(latents));
        }

        if (latents.dim() != 4 || latents.shape[0] == 0 || !latents.shape.AsSpan(1).SequenceEqual(Shape.Batch(1).AsSpan(1)))
        {
            throw new ArgumentException($"Latents have shape [{string.Join(", ", latents.shape)}]; it must be [B, {Shape.Channels}, {Shape.Height}, {Shape.Width}] with B above 0.", nameof(latents));
        }
    }
}
