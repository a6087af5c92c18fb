namespace FewStep.Solvers;

/// <summary>What a solver knows when it takes step i of a run: the schedule, the state, the denoiser's output there, and the
/// past.</summary>
/// <param name="schedule">The whole schedule.</param>
/// <param name="index">The step i, 0 to N-1.</param>
/// <param name="state">x_i [B,C,H,W], float32 or float64.</param>
/// <param name="denoised">D(x_i; sigma_i), or what stands for it in an analytical first step.</param>
/// <param name="history">Past steps, newest first.</param>
/// <param name="denoise">Evaluates the denoiser, and is counted.</param>
/// <param name="sigma">Where the step starts, if that is not the schedule's sigma_i: stochastic sampling raises it. Null (default) for
/// sigma_i.</param>
/// <param name="noise">Draws the next unit noise of every image [B,C,H,W]; null (default) where a run has none.</param>
public sealed class SolverStep(
    SamplingSchedule schedule, int index, Tensor state, Tensor denoised, IReadOnlyList<PastStep> history,
    Func<Tensor, double, Tensor> denoise, double? sigma = null, Func<Tensor>? noise = null)
{
    /// <summary>All N+1 sigmas of the run.</summary>
    public ImmutableArray<double> Sigmas => schedule.Sigmas;

    /// <summary>The step i, 0 to N-1.</summary>
    public int Index => index;

    /// <summary>Number of steps N.</summary>
    public int Steps => schedule.Steps;

    /// <summary>Where the step starts: sigma_i, or the level above it to which stochastic sampling raised the state.</summary>
    public double Sigma => sigma ?? schedule.Sigmas[index];

    /// <summary>sigma_(i+1), where the step ends; above zero.</summary>
    public double NextSigma => schedule.Sigmas[index + 1];

    /// <summary>x_i [B,C,H,W].</summary>
    public Tensor State => state;

    /// <summary>D(x_i; sigma_i) [B,C,H,W]: every step starts with this evaluation, so the sampler makes it.</summary>
    public Tensor Denoised => denoised;

    /// <summary>Past steps, newest first: at most <see cref="ISolver.HistoryLength"/>, fewer at the start of a run.</summary>
    public IReadOnlyList<PastStep> History => history;

    /// <summary>The slope (x_i - D_i) / sigma_i of the ODE, which is the denoiser's estimate of the noise; a new tensor, the
    /// caller's.</summary>
    public Tensor Slope() => (state - denoised).Over_(Sigma);

    /// <summary>A further evaluation of the denoiser, for solvers of several stages; it costs one network evaluation.</summary>
    /// <param name="x">A state of the shape of <see cref="State"/>.</param>
    /// <param name="sigma">Its noise level, above 0.</param>
    /// <returns>D(x; sigma), which lives as long as the step.</returns>
    public Tensor Denoise(Tensor x, double sigma) => denoise(x, sigma);

    /// <summary>Whether the run ends with this step: with the last one, where no denoise follows it.</summary>
    internal bool IsEnd => index == schedule.Steps - 1 && schedule.Terminal != ScheduleTerminal.Zero;

    /// <summary>New unit noise of every image from its own generator, for solvers that say <see cref="ISolver.AddsNoise"/>.</summary>
    /// <returns>[B,C,H,W] of the type and on the device of <see cref="State"/>, which lives as long as the step.</returns>
    /// <exception cref="InvalidInputException">The run needs a fixed function of the latents and has no noise.</exception>
    public Tensor Noise() => noise?.Invoke() ?? throw new InvalidInputException("A solver that adds noise (lcm) makes no fixed function of "
        + "the latents, which is needed here; take another solver, euler for instance.");

    /// <summary>The same step, as a solver sees it that looks at no more than some past steps.</summary>
    internal SolverStep Remembering(int past) => history.Count <= past ? this
        : new(schedule, index, state, denoised, [.. history.Take(past)], denoise, sigma, noise);

    /// <summary>The step to a noise level between its ends.</summary>
    internal SolverStep Until(double between) => new(
        new SamplingSchedule([.. schedule.Sigmas[..(index + 1)], between, .. schedule.Sigmas[(index + 1)..]], schedule.Terminal),
        index, state, denoised, history, denoise, sigma, noise);
}

/// <summary>What a solver's step gives.</summary>
/// <param name="Next">x_(i+1), a new tensor of the state's type.</param>
/// <param name="Corrected">
/// A predictor-corrector's x_i, corrected with D(x_i; sigma_i) before <paramref name="Next"/> was predicted from it: it stands in the
/// history in place of the predicted x_i. Null for other solvers.
/// </param>
public readonly record struct SolverResult(Tensor Next, Tensor? Corrected = null)
{
    /// <summary>The step as later ones remember it; its tensors are the step's.</summary>
    internal PastStep Past(SolverStep step) =>
        new(step.Sigma, Corrected ?? step.State, step.Denoised, Corrected is null ? null : step.State);
}

/// <summary>A step that was taken: its start and the denoiser's output there. The sampler owns the tensors.</summary>
/// <param name="Sigma">sigma_j.</param>
/// <param name="State">x_j, as its own step corrected it where the solver is a predictor-corrector.</param>
/// <param name="Denoised">D(x_j; sigma_j), evaluated before any correction.</param>
/// <param name="Predicted">x_j before its step corrected it, which is where the denoiser was evaluated; null where nothing was
/// corrected.</param>
public sealed record PastStep(double Sigma, Tensor State, Tensor Denoised, Tensor? Predicted = null)
{
    /// <summary>The slope (x_j - D_j) / sigma_j at the point where the denoiser was evaluated, which is its estimate of the noise; a new
    /// tensor, the caller's.</summary>
    public Tensor Slope() => ((Predicted ?? State) - Denoised).Over_(Sigma);
}
