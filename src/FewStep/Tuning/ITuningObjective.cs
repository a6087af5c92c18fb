namespace FewStep.Tuning;

/// <summary>What a tuning minimises, and how it is judged on held-out data. What happens in an update depends on the options and its number
/// only.</summary>
internal interface ITuningObjective : IDisposable
{
    string HeldOutMetric { get; }

    /// <summary>Adds the gradient of one update's loss into the gradient of the weights.</summary>
    /// <returns>The loss [1], float32, where the weights lie; it belongs to the current dispose scope.</returns>
    Tensor Backpropagate(long update, Tensor weights, CancellationToken cancellation);

    double HeldOut(Tensor weights, CancellationToken cancellation);
}

/// <summary>What a tuning minimises.</summary>
public enum TuningLoss
{
    /// <summary>
    /// The distance to the pre-trained model's own path: at every sigma of the schedule the student is pulled to the denoiser output that
    /// lands its step on the teacher's next state. Needs no images. In the spirit of SFD (2409.19681).
    /// </summary>
    Trajectory,

    /// <summary>The distance of the sampler's image to the teacher's of the same latent, with gradients through all steps: the states in
    /// between are the sampler's own, as a fitted one wants them. Needs no images, and memory for all steps at once.</summary>
    Endpoint,

    /// <summary>From points of the teacher's path, in the end from where the student itself arrives, the Euler step to the end of the
    /// schedule's interval is pulled to the teacher's state there. Needs no images; for samplers with the solver euler.</summary>
    Regression,

    /// <summary>Segmented consistency on the schedule's intervals: as <see cref="Regression"/>, whose targets become the student's own
    /// steps from points ever nearer on the same path (2403.06807, 2406.14548).</summary>
    Consistency,

    /// <summary>The training loss E |D(x0 + s n; s) - x0|^2 on the schedule's sigmas alone: our reading of 2412.10786. Needs training
    /// images.</summary>
    Denoise,
}
