using System.IO.Compression;

namespace FewStep.Data;

/// <summary>Writes gray images and their labels as a pair of idx files.</summary>
internal static class IdxWriter
{
    private const int ReportEvery = 1000;

    /// <summary>Writes a set; labels go beside the images by the naming convention of <see cref="IdxName"/>.</summary>
    /// <param name="set">1-channel images, at most 256 classes; not disposed.</param>
    public static string? Write(
        string imagesPath, IImageSet set, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (set.Shape.Channels != 1)
        {
            throw new InvalidInputException(
                $"idx files hold gray images only, not {set.Shape}; keep coloured images in a zip or a folder.");
        }

        string? labelsPath = null;
        byte[]? labels = set.Classes > 0 ? Labels(set) : null;
        if (labels is not null)
        {
            labelsPath = IdxName.LabelsBeside(imagesPath) ?? throw new InvalidInputException(
                $"{imagesPath} must be named like train-images-idx3-ubyte.gz, so that its labels are found.");
        }

        WriteFile(imagesPath, [set.Count, set.Shape.Height, set.Shape.Width], stream =>
        {
            byte[] image = new byte[set.Shape.Dimension];
            for (int i = 0; i < set.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                set.Read(i, image);
                stream.Write(image);
                if ((i + 1) % ReportEvery == 0 || i + 1 == set.Count)
                    progress?.Report(new WorkProgress("write images", i + 1, set.Count, "img"));
            }
        });
        if (labels is not null)
            WriteFile(labelsPath!, [set.Count], stream => stream.Write(labels));
        return labelsPath;
    }

    private static byte[] Labels(IImageSet set)
    {
        byte[] labels = new byte[set.Count];
        for (int i = 0; i < labels.Length; i++)
        {
            int label = set.Label(i);
            labels[i] = label is >= 0 and <= byte.MaxValue
                ? (byte)label
                : throw new InvalidInputException($"Image {i} has the class {label}; idx files hold classes 0 to 255 for every image.");
        }

        return labels;
    }

    private static void WriteFile(string path, int[] sizes, Action<Stream> content) => AtomicFile.Write(path, file =>
    {
        bool packed = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
        using var gzip = packed ? new GZipStream(file, CompressionLevel.SmallestSize, leaveOpen: true) : null;
        var stream = gzip ?? file;
        byte[] header = new byte[4 + 4 * sizes.Length];
        header[2] = 8; // unsigned bytes
        header[3] = (byte)sizes.Length;
        for (int i = 0; i < sizes.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4 + 4 * i), sizes[i]);
        stream.Write(header);
        content(stream);
    });
}
