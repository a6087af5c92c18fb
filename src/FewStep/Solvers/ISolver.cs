namespace FewStep.Solvers;

/// <summary>Solves the probability-flow ODE dx/ds = (x - D(x; s)) / s one step at a time, with sigma as time.</summary>
/// <remarks>A solver keeps nothing between steps: what it needs of the past is in the context, which the sampler holds for the run. One
/// object serves any number of runs.</remarks>
public interface ISolver
{
    /// <summary>
    /// The solver as text with its order and those options that differ from the defaults, e.g. <c>euler</c>, <c>unipc:3</c>,
    /// <c>unipc:3:variant=bh1</c>. <see cref="SolverCatalog.Find"/> gives the solver back; two solvers that behave differently have
    /// different names, so measurements are stored under it.
    /// </summary>
    string Name { get; }

    /// <summary>Nominal order p of convergence: the error at the end falls as the p-th power of the step. <c>docs/solvers.md</c> names the
    /// solvers that fall short of it.</summary>
    int Order { get; }

    /// <summary>One line: what it is, where it comes from, what a step costs.</summary>
    string Description { get; }

    /// <summary>How many past steps the solver looks at; 0 for a one-step solver. The sampler keeps no more.</summary>
    int HistoryLength { get; }

    /// <summary>Evaluations that a step makes, 1 or more: for planning; the sampler counts what was really made.</summary>
    int EvaluationsPerStep => 1;

    /// <summary>
    /// Whether the sampler limits every output of the denoiser to the data's range [-1, 1] before the solver and the history see it:
    /// dynamic thresholding (Saharia et al. 2022), image by image, at the 0.995 quantile. Default false.
    /// </summary>
    bool ThresholdsDenoised => false;

    /// <summary>
    /// Whether its steps add noise that each image's own generator draws (<see cref="SolverStep.Noise"/>). Its runs are no function of the
    /// latents, so it samples and is measured, and nothing is fitted, searched or tuned with it. Default false.
    /// </summary>
    bool AddsNoise => false;

    /// <summary>Refuses a schedule that it cannot step over; by default it takes any. Asked before a run.</summary>
    /// <param name="schedule">The schedule of the run.</param>
    /// <exception cref="InvalidInputException">It was made for another schedule.</exception>
    void CheckSchedule(SamplingSchedule schedule)
    {
    }

    /// <summary>The noise level that the network is told at the start of a step, above 0; by default sigma_i.</summary>
    /// <param name="schedule">The schedule of the run.</param>
    /// <param name="step">The step i, 0 to N-1.</param>
    double NoiseLevel(SamplingSchedule schedule, int step)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return schedule.Sigmas[step];
    }

    /// <summary>Takes one step, from sigma_i to sigma_(i+1). It works in the type of the state and changes no tensor of the
    /// context.</summary>
    /// <param name="step">Where the run stands; its tensors belong to the sampler.</param>
    /// <returns>New tensors, which belong to the sampler.</returns>
    SolverResult Step(SolverStep step);
}
