using TorchSharp;

namespace FewStep.Platform;

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
