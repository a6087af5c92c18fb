namespace FewStep.Reliability;

/// <summary>The program that starts a command line as several ranks; Open MPI's, or MPICH's.</summary>
internal static class Launcher
{
    /// <summary>Open MPI's; null where it is not installed.</summary>
    public static string[]? OpenMpi { get; } = Find("mpirun.openmpi", "mpirun") is { } program
        ? [program, "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"] : null;

    /// <summary>MPICH's; null where it is not installed.</summary>
    public static string[]? Mpich { get; } = Find("mpirun.mpich") is { } program ? [program] : null;

    /// <summary>Why what needs Open MPI is left out.</summary>
    public const string Missing = "There is no mpirun: install Open MPI (Debian: openmpi-bin).";

    private static string? Find(params string[] names) => names
        .SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(f => Path.Combine(f, name)))
        .FirstOrDefault(File.Exists);
}
