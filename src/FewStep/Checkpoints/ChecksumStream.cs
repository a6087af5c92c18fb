using System.Buffers;
using ICSharpCode.SharpZipLib.Checksum;

namespace FewStep.Checkpoints;

/// <summary>A read-only stream that counts and checksums (CRC-32) what passes.</summary>
internal sealed class ChecksumStream(Stream inner) : Stream
{
    private readonly Crc32 _crc = new();
    private readonly byte[] _chunk = ArrayPool<byte>.Shared.Rent(1 << 16);

    public long Count { get; private set; }

    /// <summary>CRC-32 of the bytes read so far.</summary>
    public uint Crc32 => (uint)_crc.Value;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => Count;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        // The checksum takes arrays only, hence the way through one.
        int count = inner.Read(_chunk, 0, Math.Min(_chunk.Length, buffer.Length));
        _chunk.AsSpan(0, count).CopyTo(buffer);
        _crc.Update(new ArraySegment<byte>(_chunk, 0, count));
        Count += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    public override void Flush() => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && inner.CanRead) // the buffer is given back once
        {
            inner.Dispose();
            ArrayPool<byte>.Shared.Return(_chunk);
        }

        base.Dispose(disposing);
    }
}
