using FewStep.Solvers;

namespace FewStep.Sampling;

/// <summary>Runs a solver over a sampling schedule, from latents to images. One run at a time.</summary>
internal sealed class SamplingLoop : IBatchSource
{
    private readonly CountingDenoiser _denoiser;

    /// <param name="denoiser">The denoiser; not disposed here.</param>
    public SamplingLoop(IDenoiser denoiser, ISolver solver, SamplingSchedule schedule, SampleOptions? options = null)
    {
        Options = options ?? new SampleOptions();
        _denoiser = new CountingDenoiser(denoiser);
        (Solver, Schedule) = (solver, schedule);
        Options.Churn?.Check(solver);
        solver.CheckSchedule(schedule);
        if (Options.AnalyticalFirstStep && solver is FittedSolver)
            throw new InvalidInputException($"{solver.Name} was fitted without an analytical first step; leave it out.");
    }

    public ISolver Solver { get; }
    public SamplingSchedule Schedule { get; }
    public SampleOptions Options { get; }
    public ImageShape Shape => _denoiser.Shape;

    /// <summary>Number of the denoiser's classes; 0 without.</summary>
    public int Classes => _denoiser.Classes;

    /// <summary>Where the denoiser computes, and where latents and labels must lie.</summary>
    public Device Device => _denoiser.Device;

    /// <summary>Samples one batch: from latents times sigma_0 down the schedule. The same arguments give the same images. A
    /// solver that adds noise needs seeds and is refused.</summary>
    /// <param name="latents">Unit noise [B,C,H,W], float32 or float64, whose type and device the solver's state keeps; not changed and not
    /// disposed.</param>
    /// <param name="labels">Class indices int64 [B] on the same device, -1 for "no class"; null stands for -1 everywhere.</param>
    public SamplingResult Sample(
        Tensor latents, Tensor? labels = null, Action<TrajectoryPoint>? observe = null, CancellationToken cancellationToken = default)
        => Options.Churn is null
            ? Run(latents, null, labels, observe, cancellationToken)
            : throw new ArgumentException("Stochastic sampling needs the images' seeds: call SampleSeeded.", nameof(latents));

    /// <summary><see cref="Sample"/> of images that have seeds, which the noise of stochastic sampling, or of a solver that adds some, is
    /// drawn from: an image does not depend on the others of its batch.</summary>
    public SamplingResult SampleSeeded(Tensor latents, IReadOnlyList<long> seeds, Tensor? labels = null,
        Action<TrajectoryPoint>? observe = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(seeds);
        if (latents.dim() > 0 && seeds.Count != latents.shape[0])
            throw new ArgumentException($"There are {seeds.Count} seeds for {latents.shape[0]} latents.", nameof(seeds));
        using var noise = Options.Churn is null && !Solver.AddsNoise ? null : new ImageNoise(seeds, Shape);
        return Run(latents, noise, labels, observe, cancellationToken);
    }

    SamplingResult IBatchSource.Sample(
        Tensor latents, IReadOnlyList<long> seeds, Tensor? labels, CancellationToken cancellation)
        => SampleSeeded(latents, seeds, labels, cancellationToken: cancellation);

    private SamplingResult Run(
        Tensor latents, ImageNoise? noise, Tensor? labels, Action<TrajectoryPoint>? observe, CancellationToken cancellationToken)
    {
        CheckLatents(latents);
        long before = _denoiser.Images;
        using var _ = no_grad();
        using var history = new SolverHistory(Solver.HistoryLength);
        using var run = NewDisposeScope();
        var x = latents.Times(Schedule.Sigmas[0]);
        for (int i = 0; i < Schedule.Steps; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            x = Step(i, x, noise, labels, history, observe);
        }

        cancellationToken.ThrowIfCancellationRequested();
        double last = Schedule.Sigmas[^1];
        var D = Schedule.Terminal == ScheduleTerminal.Zero ? _denoiser.DenoiseAt(x, last, labels) : null;
        observe?.Invoke(new TrajectoryPoint(Schedule.Steps, last, x, D));
        long evaluations = _denoiser.Images - before;
        return new SamplingResult((D ?? x).MoveToOuterDisposeScope(), evaluations, (double)evaluations / latents.shape[0]);
    }

    // Takes x over and returns the next state; whatever else the step made is gone afterwards, or in the history.
    private Tensor Step(int i, Tensor x, ImageNoise? noise, Tensor? labels, SolverHistory history, Action<TrajectoryPoint>? observe)
    {
        using var scope = NewDisposeScope();
        scope.Attach(x);
        double sigma = Schedule.Sigmas[i], level = Solver.NoiseLevel(Schedule, i);
        if (noise is not null && Options.Churn is { } churn && churn.Raised(sigma, Schedule.Steps) is var raised && raised > sigma)
        {
            x = x.Plus(noise.Draw(x.dtype, x.device), alpha: churn.NoiseScale * Math.Sqrt(raised * raised - sigma * sigma));
            level = sigma = raised;
        }

        var output = i == 0 && Options.AnalyticalFirstStep ? StandardNormalDenoised(x, sigma) : _denoiser.DenoiseAt(x, level, labels);
        var D = Limited(output);
        var step = new SolverStep(Schedule, i, x, D, history.Steps, (y, s) => Limited(_denoiser.DenoiseAt(y, s, labels)), sigma,
            noise is null ? null : () => noise.Draw(x.dtype, x.device));
        var result = Solver.Step(step);
        var past = result.Past(step);
        observe?.Invoke(new TrajectoryPoint(i, sigma, past.State, output));
        if (Solver.HistoryLength > 0)
        {
            foreach (var kept in new[] { past.State, past.Denoised, past.Predicted })
                kept?.DetachFromDisposeScope();
            history.Push(past);
        }

        return result.Next.MoveToOuterDisposeScope();
    }

    private Tensor Limited(Tensor output) => DynamicThreshold.For(Solver, output);

    // The D whose slope (x - D) / sigma is x / sqrt(1 + sigma^2): 1 - sigma / sqrt(1 + sigma^2), written without a difference.
    private static Tensor StandardNormalDenoised(Tensor x, double sigma)
    {
        double root = Math.Sqrt(1 + sigma * sigma);
        return x.Over(root * (root + sigma));
    }

    private void CheckLatents(Tensor latents)
    {
        if (latents.dtype is not (ScalarType.Float32 or ScalarType.Float64))
            throw new ArgumentException($"Latents are {latents.dtype}; the solver's state must be float32 or float64.", nameof(latents));
        if (latents.dim() != 4 || latents.shape[0] == 0 || !latents.shape.AsSpan(1).SequenceEqual(Shape.Batch(1).AsSpan(1)))
        {
            throw new ArgumentException($"Latents have shape [{string.Join(", ", latents.shape)}]; it must be [B, {Shape.Channels}, "
                + $"{Shape.Height}, {Shape.Width}] with B above 0.", nameof(latents));
        }
    }
}
