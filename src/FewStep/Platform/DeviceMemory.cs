using TorchSharp;

namespace FewStep.Platform;

/// <summary>Brings what was made in the processor's memory to where it is needed.</summary>
internal static class HostCopy
{
    /// <summary>Copies to a device without waiting for it: a plain copy would first let a GPU finish all that it was told.</summary>
    /// <returns>The tensor there; it belongs to the current dispose scope.</returns>
    public static Tensor To(Tensor made, Device device)
    {
        if (device.type != DeviceType.CUDA || made.device_type != DeviceType.CPU)
            return made.to(device);
        using var pinned = made.pin_memory(); // its memory is kept until the copy is done
        return pinned.to(device, non_blocking: true);
    }
}

/// <summary>The work that a device was told to do, and which a GPU does later.</summary>
internal static class DeviceWork
{
    /// <summary>Waits until it is done, so that a clock shows what it took. The processor has nothing to wait for.</summary>
    public static void Finish(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.type == DeviceType.CUDA)
            cuda.synchronize(device);
    }
}

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

/// <summary>Constant numbers that are copied to a device once, not at every use.</summary>
internal sealed class DeviceTable(double[] values)
{
    private readonly Lock _lock = new();
    private Tensor? _tensor;

    /// <summary>The numbers on a device, float64; owned here.</summary>
    public Tensor On(Device device)
    {
        lock (_lock)
        {
            if (_tensor is null || _tensor.device_type != device.type || _tensor.device_index != device.index)
            {
                // another thread may still use the one before
                _tensor = tensor(values, dtype: float64, device: device).DetachFromDisposeScope();
            }

            return _tensor;
        }
    }
}
