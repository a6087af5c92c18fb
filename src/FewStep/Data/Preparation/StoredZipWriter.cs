using ICSharpCode.SharpZipLib.Checksum;

namespace FewStep.Data;

/// <summary>Writes a zip file of uncompressed entries (APPNOTE 6.3.9), with ZIP64 records where sizes or counts need them. Equal entries
/// make equal files on every system.</summary>
/// <param name="stream">Receives the entries from its present position on, which need not be its start; seekable, not disposed.</param>
internal sealed class StoredZipWriter(Stream stream) : IDisposable
{
    private const uint LocalHeader = 0x04034b50, CentralHeader = 0x02014b50, EndOfCentral = 0x06054b50, End64 = 0x06064b50,
        Locator64 = 0x07064b50;
    private const ushort Version = 20, Version64 = 45, Utf8Names = 1 << 11;
    private const ushort FirstDay = (1 << 5) | 1; // 1980-01-01
    private readonly MemoryStream _directory = new();
    private long _offset = stream.Position;
    private long _entries;

    public void Add(string name, ReadOnlySpan<byte> content)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(name);
        var crc = new Crc32();
        crc.Update(new ArraySegment<byte>(content.ToArray()));
        byte[] local = Record(
            LocalHeader, Version, Utf8Names, (ushort)0, (ushort)0, FirstDay, (uint)crc.Value, (uint)content.Length, (uint)content.Length,
            (ushort)utf8.Length, (ushort)0);
        bool far = _offset >= uint.MaxValue;
        _directory.Write(Record(
            CentralHeader, far ? Version64 : Version, far ? Version64
                : Version, Utf8Names, (ushort)0, (ushort)0, FirstDay, (uint)crc.Value, (uint)content.Length, (uint)content.Length,
            (ushort)utf8.Length, (ushort)(far ? 12 : 0), (ushort)0, (ushort)0, (ushort)0, 0u, far ? uint.MaxValue : (uint)_offset));
        _directory.Write(utf8);
        if (far)
            _directory.Write(Record((ushort)1, (ushort)8, (ulong)_offset));
        Write(local);
        Write(utf8);
        Write(content);
        _entries++;
    }

    /// <summary>Writes the directory, which ends the file.</summary>
    public void Finish()
    {
        long start = _offset, size = _directory.Length;
        _directory.Position = 0;
        _directory.CopyTo(stream);
        _offset += size;
        if (_entries >= ushort.MaxValue || start >= uint.MaxValue || size >= uint.MaxValue)
        {
            long end = _offset;
            Write(Record(End64, 44ul, Version64, Version64, 0u, 0u, (ulong)_entries, (ulong)_entries, (ulong)size, (ulong)start));
            Write(Record(Locator64, 0u, (ulong)end, 1u));
        }

        ushort count = (ushort)Math.Min(_entries, ushort.MaxValue);
        Write(Record(EndOfCentral, (ushort)0, (ushort)0, count, count, (uint)Math.Min(size, uint.MaxValue),
            (uint)Math.Min(start, uint.MaxValue), (ushort)0));
    }

    /// <summary>Lets the directory in memory go; the stream stays open.</summary>
    public void Dispose() => _directory.Dispose();

    private void Write(ReadOnlySpan<byte> bytes)
    {
        stream.Write(bytes);
        _offset += bytes.Length;
    }

    private static byte[] Record(params ReadOnlySpan<object> fields)
    {
        var record = new byte[64];
        int at = 0;
        foreach (object field in fields)
        {
            var rest = record.AsSpan(at);
            switch (field)
            {
                case ushort value: BinaryPrimitives.WriteUInt16LittleEndian(rest, value); at += 2; break;
                case uint value: BinaryPrimitives.WriteUInt32LittleEndian(rest, value); at += 4; break;
                default: BinaryPrimitives.WriteUInt64LittleEndian(rest, (ulong)field); at += 8; break;
            }
        }

        return record[..at];
    }
}
