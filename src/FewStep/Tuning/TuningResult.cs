using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>What a tuning gives; whoever received it disposes of it.</summary>
/// <param name="Weights">The averaged weights that were best on held-out data, flat float32 in the model's layout.</param>
/// <param name="Report">How it went.</param>
public sealed record TuningResult(Tensor Weights, TuningReport Report) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Weights.Dispose();
}
