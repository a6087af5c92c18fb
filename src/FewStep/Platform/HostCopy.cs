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
