namespace FewStep.Data;

/// <summary>Opens image sets of every kind by what lies at a path.</summary>
internal static class ImageSets
{
    private const string Accepted = "Accepted are: a zip of PNG/JPEG images (with dataset.json for labels), a folder of such images "
        + "(sub-folders are classes), "
        + "a NumPy file of ADM's samples (arr_0), an idx file of images such as train-images-idx3-ubyte.gz (labels beside it), "
        + "or a folder with idx files.";

    private static readonly string[] TrainFolders = ["train"];
    private static readonly string[] TestFolders = ["test", "val", "valid", "validation"];

    /// <summary>
    /// Opens an image set. A folder with idx files or with a sub-folder train beside one called test, val, valid or validation has splits;
    /// anything else has none.
    /// </summary>
    /// <returns>The set; the caller disposes of it.</returns>
    public static IImageSet Open(
        string path, DataSplit? split = null, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (Directory.Exists(path))
            return OpenFolder(path, split, progress, cancellation);
        if (!File.Exists(path))
            throw new InvalidInputException($"There is no image set at {path}. {Accepted}");
        if (split is { } wanted)
            throw NoSplit(path, wanted);
        return Signature(path) switch
        {
            [0, 0, 8, 3] or [0x1f, 0x8b, ..] => OpenIdx(path),
            [(byte)'P', (byte)'K', ..] when path.EndsWith(".npz", StringComparison.OrdinalIgnoreCase) => NpzImageSet.Read(path),
            [(byte)'P', (byte)'K', ..] => new ZipImageSet(path, progress, cancellation),
            _ => throw new InvalidInputException($"{path} is no image set. {Accepted}"),
        };
    }

    /// <summary>Whether an image set has a split, so that <see cref="Open"/> would find it.</summary>
    public static bool HasSplit(string path, DataSplit split)
    {
        if (!Directory.Exists(path))
            return false;
        string? train = IdxName.Find(path, DataSplit.Train), test = IdxName.Find(path, DataSplit.Test);
        return train is not null || test is not null
            ? (split == DataSplit.Train ? train : test) is not null
            : SubFolder(path, TrainFolders) is not null && SubFolder(path, TestFolders) is not null;
    }

    /// <summary>Whether a folder holds idx files of images.</summary>
    internal static bool HasIdxFiles(string path)
        => IdxName.Find(path, DataSplit.Train) is not null || IdxName.Find(path, DataSplit.Test) is not null;

    /// <summary>The folder with the images of a split: a sub-folder where there are splits, else the folder itself.</summary>
    internal static string SplitFolder(string path, DataSplit? split)
    {
        // A lone folder "train" may be a class (a vehicle); only the pair is taken for splits.
        if (SubFolder(path, TrainFolders) is { } train && SubFolder(path, TestFolders) is { } test)
            return split == DataSplit.Test ? test : train;
        return split is { } wanted ? throw NoSplit(path, wanted) : path;
    }

    private static IImageSet OpenFolder(string path, DataSplit? split, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        string? train = IdxName.Find(path, DataSplit.Train), test = IdxName.Find(path, DataSplit.Test);
        if (train is not null || test is not null)
        {
            string? images = split switch { DataSplit.Train => train, DataSplit.Test => test, _ => train ?? test };
            return OpenIdx(images ?? throw NoSplit(path, split!.Value));
        }

        return new FolderImageSet(SplitFolder(path, split), progress, cancellation);
    }

    private static MemoryImageSet OpenIdx(string images)
    {
        string? labels = IdxName.LabelsBeside(images);
        return IdxImageSet.Read(images, File.Exists(labels) ? labels : null);
    }

    private static string? SubFolder(string path, string[] names)
        => names.Select(n => Path.Combine(path, n)).FirstOrDefault(Directory.Exists);

    private static byte[] Signature(string path) => ReadFailure.Guard(path, () =>
    {
        using var file = InputFile.Open(path);
        byte[] start = new byte[4];
        return start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
    });

    private static InvalidInputException NoSplit(string path, DataSplit split) =>
        new($"{path} has no {(split == DataSplit.Train ? "training" : "test")} split; name the file or folder that holds those images.");
}
