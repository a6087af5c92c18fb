using TorchSharp;

namespace FewStep.Platform;

/// <summary>Random numbers drawn where they are needed, for masks of whole feature maps, which are too many to draw on the processor at
/// every update.</summary>
/// <remarks>
/// On the processor they are the generator's own. On a GPU they are those of its default generator, seeded with the given one's next
/// number: the same generator gives the same numbers on the same kind of device, and others on another kind. All other noise is drawn on
/// the processor and copied, so that it is the same everywhere.
/// </remarks>
internal static class DeviceRandom
{
    /// <returns>float32; it belongs to the current dispose scope.</returns>
    public static Tensor Uniform(long[] shape, Generator generator, Device device)
    {
        if (device.type == DeviceType.CPU)
            return rand(shape, generator: generator);

        // TorchSharp makes generators of the processor only.
        using var seed = randint(0, int.MaxValue, [1], dtype: int64, generator: generator);
        if (device.type == DeviceType.CUDA)
            cuda.manual_seed_all(seed.item<long>());

        return rand(shape, device: device);
    }
}
