using System.IO.Compression;

namespace FewStep.Checkpoints;

/// <summary>The entries of a zip file from outside: names unique, sizes believable and bounded, no bytes shared, lengths and checksums
/// checked. Folders in it are left out.</summary>
internal sealed class ZipContent : IDisposable
{
    // Deflate cannot shrink by more than this factor, so a larger claim is a lie made to allocate memory.
    private const long LargestDeflateRatio = 1040;

    // APPNOTE 4.3.7, 4.3.12 and 4.3.16: what an entry takes beside its name and content, and the end of the directory.
    private const int HeaderBytes = 30 + 46, EndBytes = 22;

    private readonly ZipArchive _archive;
    private readonly Dictionary<string, ZipArchiveEntry> _entries = new(StringComparer.Ordinal);
    private readonly string _path;

    private ZipContent(ZipArchive archive, string path, long fileBytes, long maximumBytes)
    {
        (_archive, _path) = (archive, path);
        long left = maximumBytes, packed = EndBytes;
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            CheckSize(entry, path);
            if (entry.IsEncrypted)
                throw new InvalidInputException($"{path} is encrypted ({Printable.Text(entry.FullName)}). Save it without a password.");
            // Tight files, which are the dangerous ones, have no room for two entries at one place.
            packed += HeaderBytes + (2L * entry.FullName.Length);
            if (entry.CompressedLength > fileBytes - packed)
                throw new InvalidInputException($"{path} is no sound zip file: its entries share bytes. Make it anew.");
            packed += entry.CompressedLength;
            if (entry.Length > left)
            {
                throw new InvalidInputException(
                    $"{path} unpacks to more than {maximumBytes} bytes, the limit for its size; store it without compression.");
            }

            left -= entry.Length;
            if (!IsFolder(entry.FullName) && !_entries.TryAdd(entry.FullName, entry))
                throw new InvalidInputException($"{path} holds {Printable.Text(entry.FullName)} twice; make it anew.");
        }
    }

    /// <summary>Names of the entries in the file's order.</summary>
    public IEnumerable<string> Names => _entries.Keys;

    /// <summary>Opens a zip file.</summary>
    /// <param name="maximumBytes">The most that it may unpack to; null for <see cref="InputFile.UnpackedLimit"/>.</param>
    public static ZipContent Open(string path, long? maximumBytes = null)
    {
        FileStream? file = null;
        try
        {
            file = InputFile.Open(path);
            var content = new ZipContent(
                new ZipArchive(file, ZipArchiveMode.Read), path, file.Length, maximumBytes ?? InputFile.UnpackedLimit(file.Length));
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
                $"{_path}: {Printable.Text(name)} unpacks to {length} bytes, more than any of its kind ({maximumBytes}).");
        }

        byte[] bytes = new byte[length];
        Read(name, stream => stream.ReadExactly(bytes));
        return bytes;
    }

    public void Dispose() => _archive.Dispose();
    private static bool IsFolder(string name) => name.EndsWith('/');

    /// <summary>Refuses an entry that claims more bytes than its compressed ones can hold.</summary>
    private static void CheckSize(ZipArchiveEntry entry, string path)
    {
        if (entry.Length < 0 || entry.CompressedLength < 0 || entry.Length / LargestDeflateRatio > entry.CompressedLength)
        {
            throw new InvalidInputException($"{path} is damaged: {Printable.Text(entry.FullName)} claims {entry.Length} bytes from "
                + $"{entry.CompressedLength} compressed ones. Fetch the file again.");
        }
    }
}
