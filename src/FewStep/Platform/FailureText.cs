using System.Runtime.InteropServices;

namespace FewStep.Platform;

/// <summary>What is said of failures, wherever they are told.</summary>
internal static class FailureText
{
    /// <summary>Whether memory ran out. libtorch says it in its own words, behind a general exception.</summary>
    public static bool IsMemory(Exception failure) =>
        failure is OutOfMemoryException
        || (failure is ExternalException && (failure.Message.Contains("not enough memory", StringComparison.OrdinalIgnoreCase)
            || failure.Message.Contains("can't allocate memory", StringComparison.OrdinalIgnoreCase)));

    /// <summary>The first line of a message, as a sentence.</summary>
    public static string Sentence(Exception failure)
    {
        string first = failure.Message.Split('\n', 2)[0].Trim();
        return first.EndsWith('.') ? first : $"{first}.";
    }
}
