namespace FewStep.Data;

/// <summary>
/// A folder of PNG or JPEG images of one shape. Classes come from dataset.json where there is one (see <see cref="ZipImageSet"/>), else
/// from sub-folders: with two or more of them each is a class, numbered in ordinal order of the names.
/// </summary>
/// <remarks>Images are ordered by relative path (ordinal, forward slashes). Links to folders are followed, hidden files left out.</remarks>
internal sealed class FolderImageSet : EncodedImageSet
{
    private readonly ImageFolderFiles _files;

    /// <summary>Opens a folder and checks every image.</summary>
    public FolderImageSet(string path, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
        : base(path)
    {
        _files = new ImageFolderFiles(path);
        byte[]? datasetJson = _files.LabelFile is { } file ? _files.Read(file, DatasetLabels.LargestFile(_files.Names.Length)) : null;
        var labels = datasetJson is not null ? DatasetLabels.Parse(datasetJson, _files.Names, _files.LabelFile!, path)
            : _files.Classes() is var (classes, values) ? new DatasetLabels(values, classes.Length) : DatasetLabels.None;
        Scan(_files.Names, labels, datasetJson, progress, cancellation);
    }

    public override void Dispose()
    {
    }

    protected override byte[] Encoded(int index) => _files.Read(_files.Names[index]);
}
