using FewStep.Checkpoints;

namespace FewStep.Data;

/// <summary>Downsampled ImageNet (Chrabaszcz et al. 2017) as it is distributed: <c>train_data_batch_1.npz</c> to <c>10</c>,
/// <c>val_data.npz</c>, with <c>data</c> uint8 [N, 3 x side x side] in planes and <c>labels</c> from 1 to 1000.</summary>
/// <remarks>Its labels number the classes as ILSVRC's development kit does, which is not the sorted order of the synsets that folders give
/// and EDM's models have; a class map brings them into that order. One batch is in memory at a time.</remarks>
internal sealed class DownsampledImageNetSource(string[] files, int[] starts, int[] labels, int side, IReadOnlyList<string>? names)
    : IImageSource
{
    private const string Data = "data", Labels = "labels";
    private int _loaded = -1;
    private byte[] _pixels = [];

    public int Count => labels.Length;

    /// <summary>Names of the classes, from the class map; null without one.</summary>
    public IReadOnlyList<string>? ClassNames => names;

    /// <summary>Whether a folder or file looks like downsampled ImageNet.</summary>
    public static bool Is(string path) => Directory.Exists(path)
        ? Directory.EnumerateFiles(path, "*.npz").Any(f => BatchNumber(f) is not null || IsValidation(f))
        : path.EndsWith(".npz", StringComparison.OrdinalIgnoreCase);

    /// <summary>Opens a split and reads all labels.</summary>
    public static DownsampledImageNetSource Open(string path, DataSplit split, ImageNetClassMap? map,
        IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        string[] files = Directory.Exists(path) ? Batches(path, split) : [path];
        var (starts, labels) = (new List<int>(), new List<int>());
        int side = 0;
        foreach (string file in files)
        {
            cancellation.ThrowIfCancellationRequested();
            starts.Add(labels.Count);
            labels.AddRange(ReadLabels(file, map));
            var shape = NpzFile.Shape(file, Data);
            int found = Side(shape, labels.Count - starts[^1], file);
            side = side == 0 || side == found ? found
                : throw new InvalidInputException($"{file} holds images of {found} pixels a side, the files before of {side}.");
            progress?.Report(new WorkProgress("read labels", starts.Count, files.Length, "files"));
        }

        return new DownsampledImageNetSource(files, [.. starts], [.. labels], side, map?.Names);
    }

    public int Label(int index) => labels[index];

    public PixelImage Read(int index)
    {
        int file = Array.FindLastIndex(starts, start => start <= index);
        if (file != _loaded)
        {
            _pixels = []; // before the next gigabyte
            _pixels = NpzFile.Read(files[file], [Data])[Data].Values as byte[]
                ?? throw new InvalidInputException($"{files[file]}: 'data' must be bytes (uint8).");
            _loaded = file;
        }

        int size = 3 * side * side;
        return PixelImage.FromPlanes(new ImageShape(3, side, side), _pixels.AsSpan((index - starts[file]) * size, size));
    }

    public void Dispose() => _pixels = [];

    private static string[] Batches(string path, DataSplit split)
    {
        string[] all = Directory.GetFiles(path, "*.npz");
        string[] files = split == DataSplit.Test
            ? [.. all.Where(IsValidation)]
            : [.. all.Where(f => BatchNumber(f) is not null).OrderBy(f => BatchNumber(f)!.Value)];
        return files.Length > 0 ? files : throw new InvalidInputException(
            $"{path} holds no {(split == DataSplit.Test ? "val_data.npz" : "train_data_batch_1.npz and so on")}.");
    }

    private static bool IsValidation(string file) => Path.GetFileName(file).StartsWith("val_data", StringComparison.Ordinal);

    private static int? BatchNumber(string file)
    {
        const string start = "train_data_batch_";
        string name = Path.GetFileNameWithoutExtension(file);
        return name.StartsWith(start, StringComparison.Ordinal)
            && int.TryParse(name[start.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
    }

    private static IEnumerable<int> ReadLabels(string file, ImageNetClassMap? map)
    {
        var array = NpzFile.Read(file, [Labels])[Labels];
        long[] labels = array.Values switch
        {
            long[] values => values,
            int[] values => Array.ConvertAll(values, v => (long)v),
            _ => throw new InvalidInputException($"{file}: 'labels' must be whole numbers (int64)."),
        };
        if (labels.FirstOrDefault(l => l is < 1 or > ImageNetClassMap.Classes, 1) is var wrong and not 1)
        {
            throw new InvalidInputException(
                $"{file}: a label is {wrong}; those of downsampled ImageNet are 1 to {ImageNetClassMap.Classes}.");
        }

        return labels.Select(l => map is null ? (int)l - 1 : map.Label((int)l));
    }

    private static int Side(IReadOnlyList<long> shape, int labels, string file)
    {
        int side = shape.Count == 2 ? (int)Math.Round(Math.Sqrt(shape[1] / 3.0)) : 0;
        return shape.Count == 2 && shape[0] == labels && labels > 0 && side is >= 1 and <= 1024 && 3L * side * side == shape[1]
            ? side
            : throw new InvalidInputException(
                $"{file}: 'data' has shape [{string.Join(", ", shape)}]; [{labels}, 3 x side x side] is needed, one row a label.");
    }
}
