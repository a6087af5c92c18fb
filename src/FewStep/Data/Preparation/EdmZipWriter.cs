using System.Text.Encodings.Web;

namespace FewStep.Data;

/// <summary>What a data set was made with.</summary>
internal sealed record PreparedImages(int Count, ImageShape Shape, int Classes);

/// <summary>Writes data sets as EDM reads them: a zip of uncompressed PNG files named <c>00000/img00000000.png</c> on, and
/// <c>dataset.json</c> with their labels.</summary>
internal static class EdmZipWriter
{
    private const int ReportEvery = 200;

    /// <summary>Writes a data set, whole or not at all. The same images, labels and options make the same bytes.</summary>
    /// <param name="source">The images; not disposed.</param>
    public static PreparedImages Write(string path, IImageSource source, ImageTransform transform, int resolution, bool colour = false,
        IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(source);
        if (!path.EndsWith(".zip", StringComparison.OrdinalIgnoreCase))
            throw new InvalidInputException($"Data sets are written as zip files, but the file is called {path}; end its name in .zip.");
        if (transform != ImageTransform.None && resolution is < 1 or > ImageHeader.LargestSide)
            throw new InvalidInputException($"A resolution of {resolution} is not in 1..{ImageHeader.LargestSide}.");
        int[]? labels = Labels(source);
        int classes = labels is null ? 0 : Math.Max(source.ClassNames?.Count ?? 0, labels.Max() + 1);
        ImageShape? shape = null;
        AtomicFile.Write(path, stream =>
        {
            using var zip = new StoredZipWriter(stream);
            for (int i = 0; i < source.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                var image = ImageTransforms.Apply(source.Read(i), transform, resolution);
                shape ??= colour ? Coloured(image.Shape) : image.Shape;
                zip.Add(Name(i), StoredPng.Encode(Fit(image, shape, i)));
                if ((i + 1) % ReportEvery == 0 || i + 1 == source.Count)
                    progress?.Report(new WorkProgress("prepare images", i + 1, source.Count, "img"));
            }

            zip.Add(DatasetLabels.FileName, Json(labels, source.ClassNames));
            zip.Finish();
        });
        return new PreparedImages(source.Count, shape!, classes);
    }

    /// <summary>EDM's name of an image: eight digits, in folders of a thousand.</summary>
    internal static string Name(int index) => string.Create(CultureInfo.InvariantCulture, $"{index / 1000:D5}/img{index:D8}.png");

    private static int[]? Labels(IImageSource source)
    {
        if (source.Count < 1)
            throw new InvalidInputException("There are no images to make a data set of.");
        int[] labels = [.. Enumerable.Range(0, source.Count).Select(source.Label)];
        int without = Array.FindIndex(labels, l => l < 0);
        return without < 0 ? labels
            : labels.All(l => l < 0) ? null
            : throw new InvalidInputException($"Image {without} has no label but others have; label every image or none.");
    }

    private static PixelImage Fit(PixelImage image, ImageShape shape, int index)
    {
        if (image.Shape.Channels == 1 && shape.Channels == 3)
        {
            byte[] colour = new byte[checked(3 * image.Bytes.Length)];
            for (int i = 0; i < colour.Length; i++)
                colour[i] = image.Bytes[i / 3];
            image = new PixelImage(Coloured(image.Shape), colour);
        }

        return image.Shape == shape ? image
            : throw new InvalidInputException($"Image {index} is {image.Shape} (channels x height x width), the first {shape}; bring them "
                + "to one size by a transform to a resolution, and to one number of channels by storing all in colour.");
    }

    private static ImageShape Coloured(ImageShape shape) => new(3, shape.Height, shape.Width);

    private static byte[] Json(int[]? labels, IReadOnlyList<string>? names)
    {
        var text = new StringBuilder("{\"labels\": ");
        if (labels is null)
            return Encoding.ASCII.GetBytes(text.Append("null}").ToString());
        text.Append('[');
        for (int i = 0; i < labels.Length; i++)
            text.Append(i == 0 ? "" : ", ").Append(CultureInfo.InvariantCulture, $"[\"{Name(i)}\", {labels[i]}]");
        text.Append(']');
        if (names is not null)
        {
            text.Append(", \"classes\": [")
                .AppendJoin(", ", names.Select(n => $"\"{JsonEncodedText.Encode(n, JavaScriptEncoder.Default)}\"")).Append(']');
        }

        return Encoding.UTF8.GetBytes(text.Append('}').ToString());
    }
}
