using System.IO.Compression;

namespace FewStep.Data;

/// <summary>CIFAR-10 in its binary version: records of a label and 32x32 pixels in three planes, red, green, blue (<c>data_batch_1.bin</c>
/// to <c>5</c>, <c>test_batch.bin</c>). Held in memory.</summary>
internal sealed class CifarSource(IReadOnlyList<byte[]> records, string[]? names) : IImageSource
{
    private const int Side = 32, Plane = Side * Side, Record = 1 + (3 * Plane), Classes = 10;
    private const int LargestBatch = 100_000 * Record;
    private const string NamesFile = "batches.meta.txt";

    private static readonly string[] UsualNames =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    public int Count => records.Count;
    public IReadOnlyList<string>? ClassNames => names ?? UsualNames;

    /// <summary>Whether a folder or file looks like CIFAR-10's binary version.</summary>
    public static bool Is(string path) => Directory.Exists(path)
        ? File.Exists(Path.Combine(path, BatchName(DataSplit.Train, 1))) || File.Exists(Path.Combine(path, BatchName(DataSplit.Test, 1)))
        : path.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase);

    /// <returns>The images in the order of the batches; the caller owns them.</returns>
    public static CifarSource Open(string path, DataSplit split)
    {
        ArgumentNullException.ThrowIfNull(path);
        var files = Directory.Exists(path) ? FromFolder(path) : FromArchive(path);
        var batches = Enumerable.Range(1, split == DataSplit.Train ? 5 : 1).Select(batch => BatchName(split, batch));
        byte[][] records = [.. batches.SelectMany(name => Records(files.GetValueOrDefault(name) ?? throw new InvalidInputException(
            $"{path} holds no {name}; fetch CIFAR-10's binary version, cifar-10-binary.tar.gz, anew."), $"{name} in {path}"))];
        string[]? names = !files.TryGetValue(NamesFile, out byte[]? text) ? null : [.. Encoding.UTF8.GetString(text)
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(EntryName.Shown)];
        return names is null or { Length: Classes } ? new CifarSource(records, names)
            : throw new InvalidInputException($"{NamesFile} in {path} names {names.Length} classes, not {Classes}.");
    }

    public int Label(int index) => records[index][0];
    public PixelImage Read(int index) => PixelImage.FromPlanes(new ImageShape(3, Side, Side), records[index].AsSpan(1));

    public void Dispose()
    {
    }

    private static string BatchName(DataSplit split, int batch) => split == DataSplit.Test ? "test_batch.bin" : $"data_batch_{batch}.bin";

    private static bool IsWanted(string name) => name == NamesFile
        || Enumerable.Range(1, 5).Select(b => BatchName(DataSplit.Train, b)).Append(BatchName(DataSplit.Test, 1)).Contains(name);

    private static Dictionary<string, byte[]> FromFolder(string path) => ReadFailure.Guard(path, () =>
    {
        var files = new Dictionary<string, byte[]>();
        foreach (string file in Directory.GetFiles(path).Where(f => IsWanted(Path.GetFileName(f))))
        {
            CheckLength(new FileInfo(file).Length, file);
            files[Path.GetFileName(file)] = File.ReadAllBytes(file);
        }

        return files;
    });

    private static Dictionary<string, byte[]> FromArchive(string path)
    {
        try
        {
            var files = new Dictionary<string, byte[]>();
            using var file = File.OpenRead(path);
            using var unpacked = new GZipStream(file, CompressionMode.Decompress);
            var tar = new TarFiles(unpacked);
            while (tar.Next() is var (full, length))
            {
                string name = full[(full.LastIndexOf('/') + 1)..];
                if (IsWanted(name))
                {
                    CheckLength(length, $"{name} in {path}");
                    if (!files.TryAdd(name, tar.Content()))
                        throw new InvalidInputException($"{path} holds {name} twice.");
                }
            }

            return files;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new InvalidInputException(
                $"Cannot read {path} as a tar.gz archive: {Printable.Line(e.Message.ReplaceLineEndings(" "))}", e);
        }
    }

    private static void CheckLength(long length, string where)
    {
        if (length > LargestBatch)
            throw new InvalidInputException($"{where} claims {length} bytes; a batch of CIFAR-10 has {10_000 * Record}.");
    }

    private static byte[][] Records(byte[] batch, string where)
    {
        if (batch.Length == 0 || batch.Length % Record != 0)
        {
            throw new InvalidInputException(
                $"{where} has {batch.Length} bytes, which is no multiple of a record's {Record}; fetch it anew.");
        }

        byte[][] records = [.. batch.Chunk(Record)];
        int wrong = Array.FindIndex(records, record => record[0] >= Classes);
        return wrong < 0 ? records
            : throw new InvalidInputException(
                $"Image {wrong} of {where} has the label {records[wrong][0]}; CIFAR-10's are 0 to {Classes - 1}.");
    }
}
