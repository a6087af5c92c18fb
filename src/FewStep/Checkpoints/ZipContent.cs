using System.IO.Compression;

namespace FewStep.Checkpoints;

/// <summary>The entries of a zip file from outside: names unique, sizes believable and bounded, lengths and checksums checked.</summary>
internal sealed class ZipContent : IDisposable
{
    // Deflate cannot shrink by more than this factor, so a larger claim is a lie made to allocate memory.
    private const long LargestDeflateRatio = 1040;

    private readonly ZipArchive _archive;
    private readonly Dictionary<string, ZipArchiveEntry> _entries = new(StringComparer.Ordinal);
    private readonly string _path;

    private ZipContent(ZipArchive archive, string path, long maximumBytes)
    {
        (_archive, _path) = (archive, path);
        long left = maximumBytes;
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            if (!_entries.TryAdd(entry.FullName, entry))
                throw new InvalidInputException($"{path} holds two entries with one name. Save it again.");
            if (entry.IsEncrypted)
                throw new InvalidInputException($"{path} is encrypted. Save it without a password.");
            CheckSize(entry, path);
            if (entry.Length > left)
                throw new InvalidInputException($"{path} unpacks to more than {maximumBytes} bytes, the limit for its kind.");
            left -= entry.Length;
        }
    }

    /// <summary>Names of the entries in the file's order.</summary>
    public IEnumerable<string> Names => _entries.Keys;

    public static ZipContent Open(string path, long maximumBytes)
    {
        FileStream? file = null;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            var content = new ZipContent(new ZipArchive(file, ZipArchiveMode.Read), path, maximumBytes);
            file = null;
            return content;
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or OverflowException)
        {
            throw new InvalidInputException(
                $"{path} is not a sound zip file: {e.Message.ReplaceLineEndings(" ")} Fetch the file again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw ReadFailure.Of(path, e);
        }
        finally
        {
            file?.Dispose();
        }
    }

    /// <summary>Unpacked size of an entry in bytes; null where there is no such entry.</summary>
    public long? Length(string name) => _entries.TryGetValue(name, out ZipArchiveEntry? entry) ? entry.Length : null;

    /// <summary>Reads one entry, which must be read to its end; then its checksum is compared.</summary>
    public void Read(string name, Action<Stream> read) => Peek(name, stream =>
    {
        read(stream);
        ZipArchiveEntry entry = _entries[name];
        if (stream.ReadByte() >= 0 || stream.Count != entry.Length)
            throw new InvalidDataException("its length is not the declared one.");
        // PyTorch leaves the checksum 0 where it was told not to compute it.
        if (entry.Crc32 != 0 && stream.Crc32 != entry.Crc32)
            throw new InvalidDataException("its checksum is wrong.");
    });

    /// <summary>Reads the beginning of an entry, without the checks that need all of it.</summary>
    public void Peek(string name, Action<ChecksumStream> read)
    {
        try
        {
            using var stream = new ChecksumStream(_entries[name].Open());
            read(stream);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException)
        {
            throw new InvalidInputException(
                $"{_path} is damaged, entry {Printable.Text(name)}: {e.Message.ReplaceLineEndings(" ")} Fetch the file again.", e);
        }
    }

    public byte[] ReadAll(string name, int maximumBytes)
    {
        long length = _entries[name].Length;
        if (length > maximumBytes)
        {
            throw new InvalidInputException(
                $"{_path}, entry {Printable.Text(name)}, has {length} bytes, more than any of its kind ({maximumBytes}).");
        }

        byte[] bytes = new byte[length];
        Read(name, stream => stream.ReadExactly(bytes));
        return bytes;
    }

    /// <summary>Refuses an entry that claims more bytes than its compressed ones can hold.</summary>
    public static void CheckSize(ZipArchiveEntry entry, string path)
    {
        if (entry.Length < 0 || entry.CompressedLength < 0 || entry.Length / LargestDeflateRatio > entry.CompressedLength)
        {
            throw new InvalidInputException($"{path} is damaged: {Printable.Text(entry.FullName)} claims {entry.Length} bytes from "
                + $"{entry.CompressedLength} compressed ones. Fetch the file again.");
        }
    }

    public void Dispose() => _archive.Dispose();
}
