using System.Diagnostics;

namespace FewStep.Bench;

/// <summary>The most memory that this process has had.</summary>
internal static class PeakMemory
{
    /// <summary>Resident, in units of 10^9 bytes. Linux counts it; elsewhere the runtime's own figure serves.</summary>
    public static double Gigabytes()
    {
        string? line = File.Exists("/proc/self/status") ? File.ReadLines("/proc/self/status")
            .FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
        return line is null
            ? Process.GetCurrentProcess().PeakWorkingSet64 / 1e9
            : double.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024 / 1e9;
    }
}
