using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;

namespace FewStep.Experiments;

/// <summary>What a run stands on, for manifests.</summary>
internal static class RunEnvironment
{
    private static string Version { get; } =
        typeof(RunEnvironment).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>The manifest of what was begun at a time and is over now.</summary>
    public static ManifestSummary Manifest(DateTimeOffset started, long seed, Model? model) =>
        Manifest(started, seed, model?.Denoiser.Device ?? torch.CPU, model?.NumberFormat);

    /// <param name="numberFormat">That of the network; null for no network.</param>
    public static ManifestSummary Manifest(DateTimeOffset started, long seed, torch.Device device, string? numberFormat) => new()
    {
        Version = Version,
        Started = started,
        Seconds = (DateTimeOffset.UtcNow - started).TotalSeconds,
        Seed = seed,
        Versions = Versions(),
        Machine = Machine(device, numberFormat ?? "the images' type"),
    };

    /// <summary>Versions of the runtime and of the tensor library.</summary>
    private static SortedDictionary<string, string> Versions() => new(StringComparer.Ordinal)
    {
        [".NET"] = Environment.Version.ToString(),
        ["TorchSharp"] = typeof(torch).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split(
            '+')[0] ?? "unknown",
        ["libtorch"] = torch.__version__,
    };

    /// <summary>The machine, without anything that names it or its user.</summary>
    private static SortedDictionary<string, string> Machine(torch.Device device, string numberFormat) => new(StringComparer.Ordinal)
    {
        ["operating system"] = RuntimeInformation.OSDescription,
        ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString(),
        ["processor"] = Processor(),
        ["cores"] = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture),
        ["tensor threads"] = TorchLibrary.ThreadsInUse().ToString(CultureInfo.InvariantCulture),
        ["device"] = DeviceChoice.Describe(device),
        ["network computes in"] = numberFormat,
        ["memory"] = string.Create(CultureInfo.InvariantCulture, $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:F0} GB"),
    };

    private static string Processor()
    {
        const string Linux = "/proc/cpuinfo";
        string? line = File.Exists(Linux) ? File.ReadLines(Linux).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line?.Split(':', 2)[1].Trim() ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? "unknown";
    }
}

/// <summary>Names of enumeration values as manifests and tables write them: in lower case.</summary>
internal static class EnumName
{
    public static string Of<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
