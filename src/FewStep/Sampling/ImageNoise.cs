namespace FewStep.Sampling;

/// <summary>Noise that is added to images while they are sampled: one generator an image seed, which goes on where the image's latents
/// ended, as in NVlabs/edm.</summary>
internal sealed class ImageNoise : IDisposable
{
    private readonly ImageShape _shape;
    private readonly Generator[] _generators;

    public ImageNoise(IReadOnlyList<long> seeds, ImageShape shape)
    {
        (_shape, _generators) = (shape, [.. seeds.Select(seed => new Generator((ulong)seed))]);
        Draw(ScalarType.Float32, CPU).Dispose(); // the latents
    }

    /// <summary>The next noise of every image [B,C,H,W]; the caller owns it.</summary>
    /// <param name="type">float32 or float64, which holds the same numbers.</param>
    public Tensor Draw(ScalarType type, Device device)
    {
        using var scope = NewDisposeScope();
        return HostCopy.To(cat([.. _generators.Select(g => randn(_shape.Batch(1), dtype: float32, generator: g))]).to(type), device)
            .MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var generator in _generators)
            generator.Dispose();
    }
}
