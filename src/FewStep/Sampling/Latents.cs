namespace FewStep.Sampling;

/// <summary>Unit noise from image seeds. An image's latents depend on its seed alone: not on the batch, the order, the device or the
/// type.</summary>
/// <remarks>Drawn on the CPU in float32 from one generator a seed, as NVlabs/edm draws them there.</remarks>
internal static class Latents
{
    /// <summary>The largest image seed: the CPU generator takes no more than 32 bits, so larger ones would repeat images.</summary>
    public const long MaximumSeed = uint.MaxValue;

    /// <param name="type">float32 (default) or float64, which holds the same numbers.</param>
    /// <returns>Unit noise [B,C,H,W]; the caller owns it.</returns>
    public static Tensor Draw(IReadOnlyList<long> seeds, ImageShape shape, ScalarType type = ScalarType.Float32, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(seeds.Count);
        using var scope = NewDisposeScope();
        var noise = new Tensor[seeds.Count];
        for (int i = 0; i < noise.Length; i++)
        {
            if (seeds[i] is < 0 or > MaximumSeed)
                throw new InvalidInputException($"Image seed {seeds[i]} is out of range; seeds are 0 to {MaximumSeed}.");
            using var generator = new Generator((ulong)seeds[i]);
            noise[i] = randn(shape.Batch(1), dtype: float32, generator: generator);
        }

        return HostCopy.To(cat(noise).to(type), device ?? CPU).MoveToOuterDisposeScope();
    }
}
