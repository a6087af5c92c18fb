using static TorchSharp.torch;

namespace FewStep.Sampling;

/// <summary>The images of some seeds; whoever received it disposes of it.</summary>
/// <param name="Seeds">The image seeds, in the order of the images.</param>
/// <param name="Images">Images [B,C,H,W].</param>
/// <param name="Labels">Their labels int64 [B]; null for a model without classes.</param>
/// <param name="Evaluations">Network evaluations that were counted, one for each image.</param>
public sealed record SampledBatch(IReadOnlyList<long> Seeds, Tensor Images, Tensor? Labels, long Evaluations) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Images.Dispose();
        Labels?.Dispose();
    }
}
