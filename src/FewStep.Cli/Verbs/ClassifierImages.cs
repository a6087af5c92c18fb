namespace FewStep.Cli.Verbs;

/// <summary>Training and test images of a classifier. Owns the sets; dispose it.</summary>
internal sealed class ClassifierImages : IDisposable
{
    private const int HeldOutShare = 10;
    private readonly List<IImageSet> _sets = [];

    private ClassifierImages()
    {
    }

    public IImageSet Training { get; private set; } = null!;
    public IImageSet Test { get; private set; } = null!;

    /// <summary>What the test images are, for people.</summary>
    public string TestName { get; private set; } = "test images";

    /// <summary>Opens the training images, and the test images wherever they are to be had.</summary>
    public static ClassifierImages Open(string data, string? test, IProgress<WorkProgress> progress, CancellationToken cancellation)
    {
        var images = new ClassifierImages();
        try
        {
            IImageSet Keep(IImageSet set)
            {
                images._sets.Add(set);
                return set;
            }

            images.Training = Keep(ImageSets.Open(data, null, progress, cancellation));
            if ((test ?? data) is var source && ImageSets.HasSplit(source, DataSplit.Test))
                images.Test = Keep(ImageSets.Open(source, DataSplit.Test, progress, cancellation));
            else if (test is not null)
                images.Test = Keep(ImageSets.Open(test, null, progress, cancellation));
            else
                images.HoldOut(data);

            return images;
        }
        catch
        {
            images.Dispose();
            throw;
        }
    }

    public void Dispose() => _sets.ForEach(set => set.Dispose());

    // At random but always the same, for sets may be sorted by class.
    private void HoldOut(string data)
    {
        var all = Training;
        int count = all.Count / HeldOutShare;
        if (count == 0)
            throw new InvalidInputException($"{data} has no test split and only {all.Count} images; name test images with --test.");

        Training = SubsetImageSet.Random(all, all.Count - count, seed: 0);
        Test = SubsetImageSet.Random(all, count, seed: 0, skip: all.Count - count);
        TestName = "images held out";
    }
}
