namespace FewStep.Data;

/// <summary>Opens images to make a data set of, by what lies at a path.</summary>
internal static class ImageSources
{
    /// <returns>The images; the caller owns them.</returns>
    public static IImageSource Open(string path, DataSplit? split = null, string? classMap = null, IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (!Path.Exists(path))
            throw new InvalidInputException($"There are no images at {EntryName.Shown(path)}.");
        if (!NpzImageSet.Is(path) && DownsampledImageNetSource.Is(path))
        {
            return DownsampledImageNetSource.Open(
                path, split ?? DataSplit.Train, classMap is null ? null : ImageNetClassMap.Read(classMap), progress, cancellation);
        }

        if (classMap is not null)
        {
            throw new InvalidInputException(
                $"A class map is for the npz files of downsampled ImageNet; {path} has its classes from elsewhere. Leave it out.");
        }

        if (CifarSource.Is(path))
            return CifarSource.Open(path, split ?? DataSplit.Train);
        // Sets of images of one size may have idx files or a dataset.json; below other folders images may be of any size.
        if (Directory.Exists(path) && !ImageSets.HasIdxFiles(path)
            && new ClassFolderSource(ImageSets.SplitFolder(path, split)) is { HasLabelFile: false } folder)
        {
            return folder;
        }

        return new ImageSetSource(ImageSets.Open(path, split, progress, cancellation));
    }
}
