using System.IO.Compression;

namespace FewStep.Data;

/// <summary>CIFAR-10: 32x32 pixels in three planes, red, green, blue, in batches of up to 10,000. In its binary version a batch is records
/// of a label and the planes (<c>data_batch_1.bin</c> to <c>5</c>, <c>test_batch.bin</c>), in its Python version a pickle
/// (<c>data_batch_1</c>, ...), which is read as data and never run. Held in memory.</summary>
internal sealed class CifarSource(IReadOnlyList<CifarImage> images, string[]? names) : IImageSource
{
    public const int Classes = 10;
    private const int Side = 32, Plane = Side * Side, LargestBatch = 10_000, LargestNames = 1 << 16;
    private const string NamesText = "batches.meta.txt", NamesPickle = "batches.meta", Binary = ".bin";

    private static readonly string[] UsualNames =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    public int Count => images.Count;
    public IReadOnlyList<string>? ClassNames => names ?? UsualNames;

    /// <summary>Bytes of an image's planes.</summary>
    public static int ImageBytes => 3 * Plane;

    // A pickle has the names of the original files too.
    private static long LargestFile => 2L * LargestBatch * (1 + ImageBytes);

    /// <summary>Whether a folder or file looks like CIFAR-10.</summary>
    public static bool Is(string path) => Directory.Exists(path)
        ? new[] { Binary, "" }.Any(e => File.Exists(Path.Combine(path, BatchNames(DataSplit.Train)[0] + e))
            || File.Exists(Path.Combine(path, BatchNames(DataSplit.Test)[0] + e)))
        : path.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase);

    /// <returns>The images in the order of the batches; the caller owns them.</returns>
    public static CifarSource Open(string path, DataSplit split)
    {
        ArgumentNullException.ThrowIfNull(path);
        string[] batches = BatchNames(split);
        string[] wanted = [NamesText, NamesPickle, .. batches, .. batches.Select(b => b + Binary)];
        var files = Directory.Exists(path) ? FromFolder(path, wanted) : FromArchive(path, wanted);
        string ending = batches.Any(b => files.ContainsKey(b + Binary)) ? Binary : "";
        var images = new List<CifarImage>();
        foreach (string name in batches.Select(b => b + ending))
        {
            string where = $"{name} in {path}";
            byte[] file = files.GetValueOrDefault(name) ?? throw new InvalidInputException($"{path} holds no {name}; fetch CIFAR-10's "
                + "binary or Python version, cifar-10-binary.tar.gz or cifar-10-python.tar.gz, anew.");
            images.AddRange(ending.Length > 0 ? Records(file, where) : CifarPickle.Batch(file, where));
        }

        string[]? names = files.TryGetValue(NamesText, out byte[]? text) ? [.. Encoding.UTF8.GetString(text)
                .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)]
            : files.TryGetValue(NamesPickle, out byte[]? pickle) ? CifarPickle.Names(pickle, $"{NamesPickle} in {path}")
            : null;
        if (names is not (null or { Length: Classes }))
            throw new InvalidInputException($"{path} names {names.Length} classes, not {Classes}.");
        int wrong = images.FindIndex(image => image.Label >= Classes);
        return wrong < 0 ? new CifarSource(images, names?.Select(EntryName.Shown).ToArray())
            : throw new InvalidInputException(
                $"Image {wrong} of {path} has the label {images[wrong].Label}; CIFAR-10's are 0 to {Classes - 1}.");
    }

    public int Label(int index) => images[index].Label;
    public PixelImage Read(int index) => PixelImage.FromPlanes(new ImageShape(3, Side, Side), images[index].Planes.Span);

    public void Dispose()
    {
    }

    private static string[] BatchNames(DataSplit split) => split == DataSplit.Test ? ["test_batch"]
        : [.. Enumerable.Range(1, 5).Select(batch => FormattableString.Invariant($"data_batch_{batch}"))];

    private static Dictionary<string, byte[]> FromFolder(string path, string[] wanted) => wanted
        .Select(name => (Name: name, File: Path.Combine(path, name)))
        .Where(entry => File.Exists(entry.File))
        .ToDictionary(entry => entry.Name, entry => InputFile.ReadAll(entry.File, Largest(entry.Name)));

    private static Dictionary<string, byte[]> FromArchive(string path, string[] wanted)
    {
        try
        {
            var files = new Dictionary<string, byte[]>();
            using var file = InputFile.Open(path);
            using var unpacked = new GZipStream(file, CompressionMode.Decompress);
            var tar = new TarFiles(unpacked, InputFile.UnpackedLimit(file.Length));
            while (tar.Next() is var (full, length))
            {
                string name = full[(full.LastIndexOf('/') + 1)..];
                if (wanted.Contains(name))
                {
                    if (length > Largest(name))
                        throw new InvalidInputException($"{name} in {path} claims {length} bytes, more than any of its kind has.");
                    if (!files.TryAdd(name, tar.Content()))
                        throw new InvalidInputException($"{path} holds {name} twice.");
                }
            }

            return files;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new InvalidInputException($"Cannot read {path} as a tar.gz archive: {e.Message}", e);
        }
    }

    private static long Largest(string name) => name is NamesText or NamesPickle ? LargestNames : LargestFile;

    private static IEnumerable<CifarImage> Records(byte[] batch, string where)
    {
        int record = 1 + ImageBytes;
        if (batch.Length == 0 || batch.Length % record != 0 || batch.Length / record > LargestBatch)
        {
            throw new InvalidInputException($"{where} has {batch.Length} bytes, which is no multiple of a record's {record}, or more than "
                + $"{LargestBatch} of them; fetch it anew.");
        }

        return Enumerable.Range(0, batch.Length / record)
            .Select(i => new CifarImage(batch[i * record], batch.AsMemory((i * record) + 1, ImageBytes)));
    }
}

/// <summary>An image of CIFAR-10: class, and planes of red, green and blue.</summary>
internal sealed record CifarImage(int Label, ReadOnlyMemory<byte> Planes);
