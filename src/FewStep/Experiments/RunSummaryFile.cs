using FewStep.Platform;

namespace FewStep.Experiments;

/// <summary><c>metrics.json</c>: a <see cref="RunSummary"/> on disk.</summary>
public static class RunSummaryFile
{
    /// <summary>Name of the file in a run folder.</summary>
    public const string Name = "metrics.json";

    /// <summary>Writes the file whole or not at all.</summary>
    /// <param name="path">Target.</param>
    /// <param name="summary">Content.</param>
    public static void Write(string path, RunSummary summary) => JsonFile.Write(path, summary);

    /// <summary>Reads the file and checks that it is complete.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">It cannot be read, has another format version, or a list in it holds null.</exception>
    public static RunSummary Read(string path)
    {
        RunSummary summary = JsonFile.Read<RunSummary>(path);
        if (summary.FormatVersion != RunSummary.CurrentFormatVersion)
        {
            throw new InvalidInputException($"{path} has format version {summary.FormatVersion}; this version of FewStep reads {RunSummary.CurrentFormatVersion}. Use the version that wrote it, or run again.");
        }

        string? list = ListsWithNull(summary).FirstOrDefault();
        return list is null ? summary : throw new InvalidInputException($"{path} is not valid: {list} holds null. Restore the file, or run again.");
    }

    // The serializer's null checks stop at the elements of collections.
    private static IEnumerable<string> ListsWithNull(RunSummary s) =>
    [
        .. If("schedules", s.Schedules), .. If("evaluations", s.Evaluations), .. If("image_strips", s.ImageStrips), .. If("tuning_rounds", s.TuningRounds),
        .. If("ledger", s.Ledger), .. If("warnings", s.Warnings), .. If("loss_curve.points", s.LossCurve?.Points ?? []),
        .. s.TuningRounds.Where(r => r is not null).SelectMany(r => If("tuning_rounds.points", r.Points)),
        .. s.Evaluations.Where(e => e is not null).SelectMany(e => If("evaluations.distance.ranges", e.Distance?.Ranges ?? [])),
        .. If("manifest.versions", s.Manifest.Versions.Values), .. If("manifest.options", s.Manifest.Options.Values), .. If("manifest.machine", s.Manifest.Machine.Values),
    ];

    private static IEnumerable<string> If(string name, IEnumerable<object?> items) => items.Any(i => i is null) ? [name] : [];
}
