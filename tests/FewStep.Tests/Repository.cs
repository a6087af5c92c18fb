namespace FewStep.Tests;

/// <summary>The checkout that the tests were built in.</summary>
internal static class Repository
{
    private static string Root { get; } = FindRoot();

    /// <summary>A file or folder of it.</summary>
    public static string At(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "FewStep.slnx")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("The tests run outside of the repository.");
    }
}
