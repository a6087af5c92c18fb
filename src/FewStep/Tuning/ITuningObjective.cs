using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>What a tuning minimises, and how it is judged on held-out data. What happens in an update depends on the options and its number only.</summary>
internal interface ITuningObjective : IDisposable
{
    /// <summary>What <see cref="HeldOut"/> measures.</summary>
    string HeldOutMetric { get; }

    /// <summary>Adds the gradient of one update's loss into the gradient of the weights.</summary>
    /// <param name="update">Updates made before.</param>
    /// <param name="weights">Flat weights, a leaf.</param>
    /// <param name="cancellation">Stops before there is any gradient, not after.</param>
    /// <returns>The loss [1], float32, where the weights lie; it belongs to the current dispose scope.</returns>
    Tensor Backpropagate(long update, Tensor weights, CancellationToken cancellation);

    /// <summary>The held-out metric; lower is better.</summary>
    /// <param name="weights">Flat weights.</param>
    /// <param name="cancellation">Stops between two evaluations.</param>
    double HeldOut(Tensor weights, CancellationToken cancellation);
}
