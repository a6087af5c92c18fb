using FewStep.Denoising;
using FewStep.Search;

namespace FewStep.Tests.Search;

/// <summary>Gaussian images, each made from its own generator.</summary>
internal sealed class SyntheticImages(
    ImageShape shape, double mean, double std, long count, ulong seed = 1, int classes = 0, bool foreign = false) : ITrainingImages
{
    public ImageShape Shape => shape;

    public long Count => count;

    public HashSet<long> Seen { get; } = [];

    public (Tensor Images, Tensor? Labels) Read(IReadOnlyList<long> indices)
    {
        foreach (long index in indices)
        {
            Assert.InRange(index, 0, count - 1);
            Assert.True(Seen.Add(index), $"image {index} was read twice");
        }

        var images = cat([.. indices.Select(index =>
        {
            using var generator = new Generator(seed + (1000003UL * (ulong)index));
            return mean + (std * randn(shape.Batch(1), dtype: float32, generator: generator));
        })]);
        var labels = classes == 0 ? null : tensor(indices.Select(index => index % classes).ToArray());
        return foreign ? (images.DetachFromDisposeScope(), labels?.DetachFromDisposeScope()) : (images, labels);
    }
}
