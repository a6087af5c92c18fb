namespace FewStep.Cli.Verbs;

/// <summary>Training and test images of a classifier. Owns the sets; dispose it.</summary>
/// <param name="TestName">What the test images are, for people.</param>
/// <param name="Opened">The sets that were opened.</param>
internal sealed record ClassifierImages(IImageSet Training, IImageSet Test, string TestName, IReadOnlyList<IImageSet> Opened) : IDisposable
{
    private const int HeldOutShare = 10;

    /// <summary>Opens the training images, and the test images wherever they are to be had.</summary>
    public static ClassifierImages Open(string data, string? test, IProgress<WorkProgress> progress, CancellationToken cancellation)
    {
        var all = ImageSets.Open(data, null, progress, cancellation);
        try
        {
            bool hasSplit = ImageSets.HasSplit(test ?? data, DataSplit.Test);
            if (!hasSplit && test is null)
                return HoldOut(all, data);
            var apart = ImageSets.Open(test ?? data, hasSplit ? DataSplit.Test : null, progress, cancellation);
            return new ClassifierImages(all, apart, "test images", [all, apart]);
        }
        catch
        {
            all.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var set in Opened)
            set.Dispose();
    }

    // At random but always the same, for sets may be sorted by class.
    private static ClassifierImages HoldOut(IImageSet all, string data)
    {
        int count = all.Count / HeldOutShare;
        if (count == 0)
            throw new InvalidInputException($"{data} has no test split and only {all.Count} images; name test images with --test.");
        return new ClassifierImages(SubsetImageSet.Random(all, all.Count - count, seed: 0),
            SubsetImageSet.Random(all, count, seed: 0, skip: all.Count - count), "images held out", [all]);
    }
}
