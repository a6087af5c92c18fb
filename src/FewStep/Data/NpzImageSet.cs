using FewStep.Checkpoints;

namespace FewStep.Data;

/// <summary>Images in a NumPy file as ADM's programs write samples: <c>arr_0</c> uint8 [B,H,W,C] with 1 or 3 channels, and with labels
/// <c>arr_1</c>, whole numbers [B].</summary>
internal static class NpzImageSet
{
    private const string Extension = ".npz", Images = "arr_0", Labels = "arr_1";

    /// <summary>Whether a file is one of images: a NumPy file by its name, and not one of feature statistics alone.</summary>
    public static bool Is(string path)
        => path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) && File.Exists(path) && NpzFile.Names(path).Contains(Images);

    public static MemoryImageSet Read(string path)
    {
        bool labelled = NpzFile.Names(path).Contains(Labels);
        var arrays = NpzFile.Read(path, labelled ? [Images, Labels] : [Images]);
        if (arrays[Images] is not { Values: byte[] pixels, Shape: [> 0 and var count, var height, var width, (1 or 3) and var channels] }
            || height is < 1 or > ImageHeader.LargestSide || width is < 1 or > ImageHeader.LargestSide)
        {
            throw new InvalidInputException(
                $"{path}: '{Images}' has shape [{string.Join(", ", arrays[Images].Shape)}]; images are uint8 [B, H, W, 3] or "
                    + "[B, H, W, 1].");
        }

        int[]? labels = labelled ? Read(arrays[Labels], (int)count, path) : null;
        return new MemoryImageSet(new ImageShape((int)channels, (int)height, (int)width), pixels, labels,
            labels is null ? [] : Encoding.ASCII.GetBytes(string.Join(',', labels)));
    }

    private static int[] Read(NpyArray array, int images, string path)
    {
        int[]? labels = array.Values switch
        {
            long[] values when values.All(IsClass) => Array.ConvertAll(values, v => (int)v),
            int[] values when values.All(v => IsClass(v)) => values,
            byte[] values => Array.ConvertAll(values, v => (int)v),
            _ => null,
        };
        return labels is not null && array.Shape.Length == 1 && labels.Length == images ? labels : throw new InvalidInputException(
            $"{path}: '{Labels}' has shape [{string.Join(", ", array.Shape)}]; labels are whole numbers [{images}] from 0 to "
                + $"{DatasetLabels.MostClasses - 1}, one an image.");
    }

    private static bool IsClass(long label) => label is >= 0 and < DatasetLabels.MostClasses;
}
