namespace FewStep.Cli.Verbs;

/// <summary>The real images of a verb that measures. Owns the sets; dispose it.</summary>
internal sealed record ExperimentImages(string Name, IImageSet? Reference, IImageSet? Training) : IDisposable
{
    /// <summary>Opens both splits of <c>--data</c>; with <c>--reference</c> that set, and the training images only where <c>--data</c> is
    /// given as well.</summary>
    public static ExperimentImages Open(
        ExperimentFlags flags, ParseResult parsed, bool compares, IProgress<WorkProgress> progress, CancellationToken cancellation)
    {
        string data = parsed.GetRequiredValue(flags.Data);
        string? reference = parsed.GetValue(flags.Reference);
        bool given = parsed.IsGiven(flags.Data);
        var held = !compares || flags.Statistics(parsed) is not null ? null
            : reference is null ? ImageSets.Open(data, DataSplit.Test, progress, cancellation)
            : ImageSets.Open(reference, null, progress, cancellation);
        try
        {
            // Beside a reference of its own, data need not have splits.
            var training = reference is null ? ImageSets.Open(data, DataSplit.Train, progress, cancellation)
                : given ? ImageSets.Open(data, null, progress, cancellation)
                : null;
            return new ExperimentImages(
                Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(reference ?? data))), held, training);
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Reference?.Dispose();
        Training?.Dispose();
    }
}
