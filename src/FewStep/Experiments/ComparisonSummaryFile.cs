using FewStep.Platform;

namespace FewStep.Experiments;

/// <summary>The file of a comparison, <c>compare.json</c>.</summary>
public static class ComparisonSummaryFile
{
    /// <summary>Name of the file.</summary>
    public const string Name = "compare.json";

    /// <summary>Writes the file whole or not at all.</summary>
    /// <param name="path">Target.</param>
    /// <param name="summary">Content.</param>
    public static void Write(string path, ComparisonSummary summary) => JsonFile.Write(path, summary);

    /// <summary>Reads the file and checks that it is complete.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">It cannot be read, has another format version, or a list in it holds null.</exception>
    public static ComparisonSummary Read(string path)
    {
        var summary = JsonFile.Read<ComparisonSummary>(path);
        if (summary.FormatVersion != ComparisonSummary.CurrentFormatVersion)
        {
            throw new InvalidInputException($"{path} has format version {summary.FormatVersion}; this version of FewStep reads {ComparisonSummary.CurrentFormatVersion}. Use the version that wrote it, or compare again.");
        }

        // The serializer's null checks stop at the elements of collections.
        IEnumerable<object?>[] lists = [summary.Cells, summary.LeftOut, summary.Searches, summary.ImageStrips, summary.Ledger, summary.Warnings];
        bool broken = lists.Any(list => list.Contains(null)) || summary.Cells.SelectMany(c => (c.Distance?.Ranges ?? []).Concat(c.Endpoint?.Ranges ?? [])).Contains(null!);
        if (broken)
        {
            throw new InvalidInputException($"{path} is not valid: a list holds null. Restore the file, or compare again.");
        }

        foreach (var search in summary.Searches)
        {
            search.Check(path);
        }

        return summary;
    }
}
