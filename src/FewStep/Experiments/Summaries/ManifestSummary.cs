namespace FewStep.Experiments;

/// <summary>What is needed to run it again and to know what it ran on.</summary>
public sealed record ManifestSummary
{
    /// <summary>Version of FewStep.</summary>
    public required string Version { get; init; }

    /// <summary>Start of the run.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>Wall-clock seconds from start to end, over all sittings that ended by themselves or were interrupted; 0 where it was not
    /// taken.</summary>
    public double Seconds { get; init; }

    /// <summary>Seed of the run, from which every other seed is derived.</summary>
    public long Seed { get; init; }

    /// <summary>The command line; null where the library was called.</summary>
    public string? CommandLine { get; init; }

    /// <summary>Versions of what it stands on, e.g. <c>.NET</c>, <c>TorchSharp</c>, <c>libtorch</c>.</summary>
    public IReadOnlyDictionary<string, string> Versions { get; init; } = new Dictionary<string, string>();

    /// <summary>Options by name, defaults included, e.g. <c>tuning.updates</c>.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();

    /// <summary>The machine, e.g. operating system, processor, cores, device, number format.</summary>
    public IReadOnlyDictionary<string, string> Machine { get; init; } = new Dictionary<string, string>();
}
