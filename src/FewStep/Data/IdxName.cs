namespace FewStep.Data;

/// <summary>How idx files are named: train-images-idx3-ubyte.gz beside train-labels-idx1-ubyte.gz; the test split is t10k.</summary>
internal static class IdxName
{
    private static readonly string[] Forms = ["-images-idx3-ubyte.gz", "-images-idx3-ubyte", "-images.idx3-ubyte.gz", "-images.idx3-ubyte"];

    /// <summary>Whether a file is one of idx images by its name.</summary>
    public static bool IsImages(string path) => Path.GetFileName(path) is var name && name.Contains("images", StringComparison.Ordinal)
        && name.Contains("idx3", StringComparison.Ordinal);

    /// <summary>The path of the labels that belong to a file of images; null where its name does not follow the convention.</summary>
    public static string? LabelsBeside(string imagesPath)
    {
        string name = Path.GetFileName(imagesPath);
        return IsImages(name)
            ? Path.Combine(Path.GetDirectoryName(imagesPath) ?? "",
                name.Replace("images", "labels", StringComparison.Ordinal).Replace("idx3", "idx1", StringComparison.Ordinal))
            : null;
    }

    /// <summary>The images of a split in a folder; null where there are none.</summary>
    public static string? Find(string folder, DataSplit split)
    {
        string[] prefixes = split == DataSplit.Train ? ["train"] : ["t10k", "test"];
        return prefixes.SelectMany(p => Forms, (prefix, form) => Path.Combine(folder, prefix + form)).FirstOrDefault(File.Exists);
    }
}
