namespace FewStep.Tuning;

/// <summary>What a tuning minimises.</summary>
public enum TuningLoss
{
    /// <summary>
    /// The distance to the pre-trained model's own path: at every sigma of the schedule the student is pulled to the denoiser output that lands its Euler step on the teacher's next state.
    /// Needs no images. In the spirit of SFD (2409.19681).
    /// </summary>
    Trajectory,

    /// <summary>The training loss E |D(x0 + s n; s) - x0|^2 on the schedule's sigmas alone: our reading of 2412.10786. Needs training images.</summary>
    Denoise,
}
