using System.Runtime.InteropServices;

namespace FewStep.Platform;

/// <summary>What NVIDIA's driver says of the GPUs, in the order in which this process sees them (<c>CUDA_VISIBLE_DEVICES</c>).</summary>
/// <remarks>CUDA Driver API; TorchSharp tells the number of GPUs only.</remarks>
internal static class CudaDriver
{
    private const int LongestName = 256;

    private delegate int Init(uint flags);

    private delegate int DriverGetVersion(out int version);

    private delegate int DeviceGet(out int device, int ordinal);

    private delegate int DeviceGetName(byte[] name, int length, int device);

    private delegate int DeviceTotalMemory(out nuint bytes, int device);

    /// <summary>Whether the driver's library is installed, be there a GPU or not.</summary>
    public static bool IsInstalled => TryOpen(out _);

    /// <summary>A GPU for manifests: its name, memory and the newest CUDA that the driver serves; null where the driver does not
    /// tell.</summary>
    public static string? Describe(int index)
    {
        if (!TryOpen(out nint driver)
            || Function<Init>(driver, "cuInit") is not { } init || init(0) != 0
            || Function<DeviceGet>(driver, "cuDeviceGet") is not { } get || get(out int device, index) != 0
            || Function<DeviceGetName>(driver, "cuDeviceGetName") is not { } getName)
        {
            return null;
        }

        byte[] name = new byte[LongestName];
        if (getName(name, name.Length, device) != 0)
            return null;
        int end = Array.IndexOf(name, (byte)0);
        var parts = new List<string> { Printable.Line(Encoding.UTF8.GetString(name, 0, end < 0 ? name.Length : end)) };
        if (Function<DeviceTotalMemory>(driver, "cuDeviceTotalMem_v2") is { } memory && memory(out nuint bytes, device) == 0)
            parts.Add(InvariantText.Of($"{bytes / 1e9:F0} GB"));
        if (Function<DriverGetVersion>(driver, "cuDriverGetVersion") is { } versionOf && versionOf(out int version) == 0)
            parts.Add(InvariantText.Of($"CUDA {version / 1000}.{version % 1000 / 10}")); // 12080 is 12.8

        return string.Join(", ", parts);
    }

    private static bool TryOpen(out nint driver)
        => NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out driver);

    private static T? Function<T>(nint driver, string name)
        where T : Delegate
        => NativeLibrary.TryGetExport(driver, name, out nint address) ? Marshal.GetDelegateForFunctionPointer<T>(address) : null;
}
