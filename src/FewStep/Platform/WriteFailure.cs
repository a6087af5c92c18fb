namespace FewStep.Platform;

/// <summary>What to do about a file that could not be written.</summary>
internal static class WriteFailure
{
    // errno of Linux and macOS, and Windows' results: disk full, handle disk full, quota.
    private static readonly int[] FullUnix = [28, 122, 69];
    private static readonly int[] FullWindows = [unchecked((int)0x80070070), unchecked((int)0x80070027), unchecked((int)0x8007050F)];

    /// <summary>The remedy, as a sentence: free space where the disk or the quota is full, and another folder otherwise.</summary>
    public static string Remedy(Exception failure)
        => IsFull(failure) ? "Free some space, or choose another folder." : "Choose another folder.";

    private static bool IsFull(Exception failure) =>
        failure is IOException && (OperatingSystem.IsWindows() ? FullWindows : FullUnix).Contains(failure.HResult);
}
