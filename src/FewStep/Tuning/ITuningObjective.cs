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
    /// lands its Euler step on the teacher's next state. Needs no images. In the spirit of SFD (2409.19681).
    /// </summary>
    Trajectory,

    /// <summary>The training loss E |D(x0 + s n; s) - x0|^2 on the schedule's sigmas alone: our reading of 2412.10786. Needs training
    /// images.</summary>
    Denoise,
}
