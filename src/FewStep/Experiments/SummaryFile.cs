namespace FewStep.Experiments;

/// <summary><c>metrics.json</c>: a <see cref="Summary"/> on disk.</summary>
internal static class SummaryFile
{
    public static void Write(string path, Summary summary) => JsonFile.Write(path, summary);

    /// <summary>Reads the file and checks that it is complete.</summary>
    public static Summary Read(string path)
    {
        var summary = JsonFile.Read<Summary>(path);
        if (summary.FormatVersion != Summary.CurrentFormatVersion)
        {
            throw new InvalidInputException(
                $"{path} has format version {summary.FormatVersion}; this version of FewStep reads {Summary.CurrentFormatVersion}. Use the "
                    + "version that wrote it, or measure again.");
        }

        // The serializer's null checks stop at the elements of collections.
        (string Name, IEnumerable<object?> Items)[] lists =
        [
            ("figures", summary.Figures), ("trials", summary.Trials), ("left_out", summary.LeftOut), ("searches", summary.Searches),
            ("ledger", summary.Ledger),
            ("image_strips", summary.ImageStrips), ("tuning_rounds", summary.TuningRounds), ("commands", summary.Commands), ("warnings",
                summary.Warnings),
            ("loss_curve.points", summary.LossCurve?.Points ?? []), ("manifest.versions", summary.Manifest.Versions.Values),
            ("manifest.options", summary.Manifest.Options.Values), ("manifest.machine", summary.Manifest.Machine.Values),
            .. summary.TuningRounds.Where(r => r is not null).Select(r => ("tuning_rounds.points", (IEnumerable<object?>)r.Points)),
            .. summary.Trials.Where(t => t is not null)
                .SelectMany(t => t.Figures.Values.Select(f => ("trials.figures", (IEnumerable<object?>)(f?.Ranges ?? [null!])))),
        ];
        return lists.FirstOrDefault(l => l.Items.Contains(null)) is { Name: { } broken }
            ? throw new InvalidInputException($"{path} is not valid: {broken} holds null. Restore the file, or measure again.")
            : summary;
    }
}
