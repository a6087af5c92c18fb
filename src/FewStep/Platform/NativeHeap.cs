using System.Runtime.InteropServices;

namespace FewStep.Platform;

/// <summary>How the C library keeps the memory of tensors on the processor.</summary>
internal static partial class NativeHeap
{
    // Parameters of mallopt, from glibc's malloc.h.
    private const int TrimThreshold = -1, TopPad = -2, MmapThreshold = -3;

    // A 64 MB heap of another thread than the first is given back when it is empty, unless the pad exceeds it.
    private const int Pad = 128 << 20, LargestPooled = 256 << 20, LargestPooledOfOldVersions = 32 << 20;

    /// <summary>Lets the process keep the memory that tensors leave for the tensors that come next. Done when the library is loaded, before
    /// the first tensor.</summary>
    /// <remarks>
    /// glibc returns large blocks to the kernel as soon as they are free and has them mapped and cleared again for the next operation,
    /// which costs a fifth of a small network's training and more with several threads. The process holds on to its peak of memory instead,
    /// except for blocks of 256 MB and more. It holds for the whole process. Without glibc, or where a variable of the environment
    /// configures malloc, it does nothing.
    /// </remarks>
    public static void KeepFreedMemory()
    {
        if (!OperatingSystem.IsLinux() || IsConfigured)
            return;
        try
        {
            _ = SetOption(MmapThreshold, LargestPooled) != 0 || SetOption(MmapThreshold, LargestPooledOfOldVersions) != 0;
            _ = SetOption(TrimThreshold, int.MaxValue);
            _ = SetOption(TopPad, Pad);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library, whose malloc has other habits.
        }
    }

    private static bool IsConfigured => Environment.GetEnvironmentVariable("GLIBC_TUNABLES") is { Length: > 0 }
        || Environment.GetEnvironmentVariables().Keys.OfType<string>().Any(name => name.StartsWith("MALLOC_", StringComparison.Ordinal));

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOption(int parameter, int value);
}
