using FewStep.Data;
using FewStep.Platform;

namespace FewStep.Cli.Verbs;

/// <summary>Training and test images of a classifier. Owns the sets; dispose it.</summary>
internal sealed class ClassifierImages : IDisposable
{
    private const int HeldOutShare = 10;
    private readonly List<IImageSet> _sets = [];

    private ClassifierImages()
    {
    }

    /// <summary>Images to train on.</summary>
    public IImageSet Training { get; private set; } = null!;

    /// <summary>Images that no update sees.</summary>
    public IImageSet Test { get; private set; } = null!;

    /// <summary>What the test images are, for people.</summary>
    public string TestName { get; private set; } = "test images";

    /// <summary>Opens the training images, and the test images wherever they are to be had.</summary>
    /// <param name="data">The training images: the training split where there are splits, and else all.</param>
    /// <param name="test">The test images, their test split where there are splits; null for the test split of <paramref name="data"/>, or a tenth of it that is held out.</param>
    /// <param name="progress">Told the images checked.</param>
    /// <param name="cancellation">Stops the check.</param>
    /// <exception cref="InvalidInputException">A set is missing or invalid, or too small to hold images out.</exception>
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
            {
                images.Test = Keep(ImageSets.Open(source, DataSplit.Test, progress, cancellation));
            }
            else if (test is not null)
            {
                images.Test = Keep(ImageSets.Open(test, null, progress, cancellation));
            }
            else
            {
                images.HoldOut(data);
            }

            return images;
        }
        catch
        {
            images.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _sets.ForEach(set => set.Dispose());

    // At random but always the same, for sets may be sorted by class.
    private void HoldOut(string data)
    {
        var all = Training;
        int count = all.Count / HeldOutShare;
        if (count == 0)
        {
            throw new InvalidInputException($"{data} has no test split and only {all.Count} images; name test images with --test.");
        }

        Training = SubsetImageSet.Random(all, all.Count - count, seed: 0);
        Test = SubsetImageSet.Random(all, count, seed: 0, skip: all.Count - count);
        TestName = "images held out";
    }
}
