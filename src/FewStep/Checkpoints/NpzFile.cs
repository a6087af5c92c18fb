using System.IO.Compression;

namespace FewStep.Checkpoints;

/// <summary>Reads and writes NumPy's <c>.npz</c> files: zip files of <c>.npy</c> arrays.</summary>
internal static class NpzFile
{
    private const string Extension = ".npy";

    /// <summary>The names of the arrays in a file, in its order.</summary>
    public static IReadOnlyList<string> Names(string path)
    {
        using var zip = ZipContent.Open(path);
        return [.. Arrays(zip)];
    }

    /// <summary>The shape of an array, from its header alone.</summary>
    public static IReadOnlyList<long> Shape(string path, string name)
    {
        using var zip = ZipContent.Open(path);
        long length = Length(zip, path, name);
        long[] shape = [];
        zip.Peek(name + Extension, stream => shape = NpyHeader.Read(stream, length, $"{path}, array {Printable.Text(name)},").Shape);
        return shape;
    }

    public static IReadOnlyDictionary<string, NpyArray> Read(
        string path, IReadOnlyCollection<string>? names = null, long? maximumBytes = null)
    {
        using var zip = ZipContent.Open(path, maximumBytes);
        var arrays = new Dictionary<string, NpyArray>(StringComparer.Ordinal);
        foreach (string name in names ?? [.. Arrays(zip)])
        {
            long length = Length(zip, path, name);
            zip.Read(name + Extension, stream => arrays[name] = NpyFile.Read(stream, length, $"{path}, array {Printable.Text(name)},"));
        }

        return arrays;
    }

    /// <summary>Writes arrays, whole or not at all.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, NpyArray> arrays, bool compress = true)
        => AtomicFile.Write(path, stream =>
    {
        using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        foreach ((string name, NpyArray array) in arrays)
        {
            ZipArchiveEntry entry = zip.CreateEntry(name + Extension, compress ? CompressionLevel.Optimal : CompressionLevel.NoCompression);

            // A fixed date: equal content makes equal files.
            entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
            using Stream content = entry.Open();
            NpyFile.Write(content, array);
        }
    });

    private static IEnumerable<string> Arrays(ZipContent zip)
        => zip.Names.Where(name => name.EndsWith(Extension, StringComparison.Ordinal)).Select(name => name[..^Extension.Length]);

    private static long Length(ZipContent zip, string path, string name) => zip.Length(name + Extension) ?? throw new InvalidInputException(
        $"{path} holds no array {Printable.Text(name)}; it holds {string.Join(", ", zip.Names.Take(8).Select(Printable.Text))}.");
}
