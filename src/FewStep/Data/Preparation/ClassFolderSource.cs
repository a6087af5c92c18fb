namespace FewStep.Data;

/// <summary>
/// PNG and JPEG files of any size below a folder, in the order of EDM's dataset_tool: by path, part by part. Where there are two or more
/// top-level folders each is a class, numbered in the order of the names, as ImageNet's synsets are.
/// </summary>
/// <remarks>JPEG files with CMYK colours, of which ImageNet has some, are converted to RGB. Hidden files are left out.</remarks>
internal sealed class ClassFolderSource : IImageSource
{
    private readonly string _path;
    private readonly ImageFolderFiles _files;
    private readonly int[]? _labels;

    public ClassFolderSource(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        _path = path;

        // Part by part: a folder's images stay together even beside a folder whose name goes on with a sign below '/'.
        _files = new ImageFolderFiles(path, name => name.Replace('/', '\0'));
        if (_files.Classes() is var (classes, labels))
            (ClassNames, _labels) = (classes, labels);
    }

    /// <summary>Whether a file of labels lies there, which this source does not read.</summary>
    public bool HasLabelFile => _files.LabelFile is not null;

    public int Count => _files.Names.Length;

    /// <summary>Names of the class folders; null where there are no classes.</summary>
    public IReadOnlyList<string>? ClassNames { get; }

    public int Label(int index) => _labels?[index] ?? -1;

    public PixelImage Read(int index)
    {
        string where = EntryName.In(_files.Names[index], _path);
        byte[] file = _files.Read(_files.Names[index]);
        var shape = ImageHeader.Read(file, where, acceptCmyk: true);
        var image = new PixelImage(shape, new byte[shape.Dimension]);
        ImageDecoder.Decode(file, where, shape, image.Bytes, acceptCmyk: true);
        return image;
    }

    /// <summary>Does nothing: files are opened one at a time.</summary>
    public void Dispose()
    {
    }
}
