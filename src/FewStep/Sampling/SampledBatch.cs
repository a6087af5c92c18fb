namespace FewStep.Sampling;

/// <summary>The images of some seeds; whoever received it disposes of it.</summary>
/// <param name="Images">Images [B,C,H,W]; latents of a denoiser that works on those.</param>
/// <param name="Labels">Their labels int64 [B]; null for a model without classes.</param>
internal sealed record SampledBatch(IReadOnlyList<long> Seeds, Tensor Images, Tensor? Labels, long Evaluations) : IDisposable
{
    public void Dispose()
    {
        Images.Dispose();
        Labels?.Dispose();
    }
}
