using TorchSharp;
using static TorchSharp.torch;

namespace FewStep.Runtime;

/// <summary>Random numbers drawn where they are needed, for what is too large to be drawn on the processor at every update.</summary>
/// <remarks>
/// On the processor they are the generator's own. On a GPU they are those of its generator, seeded with the given one's next number: the same generator gives the same numbers on the same kind of device, and others on
/// another kind. What must be the same everywhere (the latents of image seeds) is drawn on the processor and copied instead.
/// </remarks>
internal static class DeviceRandom
{
    /// <summary>Standard normal numbers.</summary>
    /// <param name="shape">Shape.</param>
    /// <param name="generator">A generator of the processor; advanced.</param>
    /// <param name="device">Where they are drawn.</param>
    /// <returns>float32; it belongs to the current dispose scope.</returns>
    public static Tensor Normal(long[] shape, Generator generator, Device device) => randn(shape, dtype: float32, device: device, generator: Source(generator, device));

    /// <summary>Numbers uniform in [0, 1).</summary>
    /// <param name="shape">Shape.</param>
    /// <param name="generator">A generator of the processor; advanced.</param>
    /// <param name="device">Where they are drawn.</param>
    /// <returns>float32; it belongs to the current dispose scope.</returns>
    public static Tensor Uniform(long[] shape, Generator generator, Device device) => rand(shape, dtype: float32, device: device, generator: Source(generator, device));

    // TorchSharp makes generators of the processor only, so a GPU's default one serves, seeded anew for every tensor.
    private static Generator? Source(Generator generator, Device device)
    {
        if (device.type == DeviceType.CPU)
        {
            return generator;
        }

        using var seed = randint(0, long.MaxValue, [1], dtype: int64, generator: generator);
        if (device.type == DeviceType.CUDA)
        {
            cuda.manual_seed_all(seed.item<long>());
        }

        return null;
    }
}
