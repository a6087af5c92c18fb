namespace FewStep.Data;

/// <summary>The regular files of a tar archive (POSIX ustar and what GNU made of it), one after the other. Other entries, long names and
/// attributes among them, are passed over.</summary>
/// <remarks>Not the runtime's reader, which holds an attribute record of any length in memory, and a packed archive of two megabytes can
/// hold one of two gigabytes.</remarks>
/// <param name="stream">The archive, unpacked; read forwards only, not disposed.</param>
/// <param name="most">The most bytes that are unpacked; an archive with more is refused.</param>
internal sealed class TarFiles(Stream stream, long most)
{
    private const int Block = 512, ChecksumAt = 148, ChecksumEnd = 156, TypeAt = 156, SizeAt = 124, SizeEnd = 136, NameEnd = 100;
    private readonly byte[] _buffer = new byte[1 << 16];
    private long _left, _unpacked;
    private int _padding;

    public (string Name, long Length)? Next()
    {
        while (true)
        {
            Pass(_left + _padding);
            (_left, _padding) = (0, 0);
            var header = _buffer.AsSpan(0, Block);
            int read = stream.ReadAtLeast(header, Block, throwOnEndOfStream: false);
            Charge(read);
            if (read == 0 || (read == Block && !header.ContainsAnyExcept((byte)0)))
            {
                return null; // blocks of zeros end an archive
            }

            if (read < Block)
                throw new EndOfStreamException("it ends within a header.");
            int sum = (ChecksumEnd - ChecksumAt) * ' ';
            for (int i = 0; i < Block; i++)
                sum += i is >= ChecksumAt and < ChecksumEnd ? 0 : header[i];
            if (Octal(header[ChecksumAt..ChecksumEnd]) != sum)
                throw new InvalidDataException("the checksum of a header is wrong.");
            _left = Octal(header[SizeAt..SizeEnd]);
            _padding = (int)((Block - (_left % Block)) % Block);
            if (header[TypeAt] is 0 or (byte)'0')
            {
                var name = header[..NameEnd];
                int end = name.IndexOf((byte)0);
                return (Encoding.UTF8.GetString(end < 0 ? name : name[..end]), _left);
            }
        }
    }

    /// <summary>The content of the file at hand, whose length the caller has found to be sane.</summary>
    public byte[] Content()
    {
        Charge(_left);
        byte[] content = new byte[_left];
        stream.ReadExactly(content);
        _left = 0;
        return content;
    }

    private void Pass(long count)
    {
        Charge(count);
        while (count > 0)
        {
            int read = stream.Read(_buffer, 0, (int)Math.Min(_buffer.Length, count));
            if (read == 0)
                throw new EndOfStreamException("it ends within a file.");
            count -= read;
        }
    }

    private void Charge(long bytes)
    {
        if (bytes > most - _unpacked)
            throw new InvalidDataException($"it unpacks to more than {most} bytes, the limit for its size; unpack it.");
        _unpacked += bytes;
    }

    // Sizes beyond 8 GiB are written in another way, which no file that is read here needs.
    private static long Octal(ReadOnlySpan<byte> field)
    {
        string text = Encoding.Latin1.GetString(field).Trim('\0', ' ');
        long value = 0;
        foreach (char digit in text)
        {
            value = digit is >= '0' and <= '7' ? (value * 8) + (digit - '0') : throw new InvalidDataException(
                string.Create(CultureInfo.InvariantCulture, $"a number in a header has a character {(int)digit}."));
        }

        return value;
    }
}
