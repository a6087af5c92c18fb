using FewStep.Data;

namespace FewStep;

/// <summary>A data set with its splits, each opened when it is first asked for; dispose it. Any number of threads may read it.</summary>
public sealed class Images : IDisposable
{
    private readonly Lazy<IImageSet> _train, _test;

    private Images(string path, IProgress<WorkProgress>? progress)
    {
        Name = Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        _train = new Lazy<IImageSet>(() => ImageSets.Open(path, progress: progress));
        _test = new Lazy<IImageSet>(() => ImageSets.Open(path, DataSplit.Test, progress));
    }

    /// <summary>Name for people: that of the file or folder.</summary>
    public string Name { get; }

    /// <summary>Images to train on; all there are, where there are no splits. Owned here.</summary>
    /// <exception cref="InvalidInputException">They are invalid.</exception>
    public IImageSet Train => _train.Value;

    /// <summary>Images held out for evaluation. Owned here.</summary>
    /// <exception cref="InvalidInputException">There is no such split, or the images are invalid.</exception>
    public IImageSet Test => _test.Value;

    /// <summary>Opens a data set.</summary>
    /// <param name="path">A zip of PNG or JPEG images (EDM's form), a folder of such images (sub-folders are classes; <c>train</c> beside
    /// <c>test</c> are splits), a NumPy file of ADM's samples, an idx file, or a folder of idx files.</param>
    /// <param name="progress">Told how many images of a split were checked; null for nobody.</param>
    /// <exception cref="InvalidInputException">There is nothing at the path.</exception>
    public static Images Open(string path, IProgress<WorkProgress>? progress = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return Path.Exists(path) ? new Images(path, progress)
            : throw new InvalidInputException($"There are no images at {Printable.Text(path)}.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var set in new[] { _train, _test }.Where(s => s.IsValueCreated))
            set.Value.Dispose();
    }
}
