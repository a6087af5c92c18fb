using FewStep.Denoising;

namespace FewStep.Data;

/// <summary>
/// A folder of PNG or JPEG images of one shape. Classes come from dataset.json where there is one (see <see cref="ZipImageSet"/>), else
/// from sub-folders: with two or more of them each is a class, numbered in ordinal order of the names.
/// </summary>
/// <remarks>Images are ordered by relative path (ordinal, forward slashes). Hidden files and links to folders are left out.</remarks>
internal sealed class FolderImageSet : IImageSet
{
    private const string JsonName = DatasetLabels.FileName;
    private readonly string _path;
    private readonly ImageFolderFiles _files;
    private readonly DatasetLabels _labels;

    /// <summary>Opens a folder and checks every image's header.</summary>
    public FolderImageSet(string path, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        _path = path;
        _files = new ImageFolderFiles(path);
        byte[]? datasetJson = File.Exists(Path.Combine(path, JsonName)) ? _files.Read(JsonName, EncodedImageScan.LargestJson) : null;
        _labels = datasetJson is not null ? DatasetLabels.Parse(datasetJson, _files.Names, path)
            : _files.Classes() is var (classes, labels) ? new DatasetLabels(labels, classes.Length) : DatasetLabels.None;
        (Shape, Hash) = EncodedImageScan.Run(_files.Names, i => _files.Read(_files.Names[i]), datasetJson, path, progress, cancellation);
    }

    public ImageShape Shape { get; }
    public int Count => _files.Names.Length;
    public int Classes => _labels.Classes;

    /// <summary>SHA-256 over names, encoded images and dataset.json, hexadecimal; the same as that of a zip with the same files.</summary>
    public string Hash { get; }

    public void Read(int index, Span<byte> destination) =>
        ImageDecoder.Decode(_files.Read(_files.Names[index]), EncodedImageScan.Where(_files.Names[index], _path), Shape, destination);

    public int Label(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return _labels.Of(index);
    }

    public void Dispose()
    {
    }
}
