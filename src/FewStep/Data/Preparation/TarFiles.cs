namespace FewStep.Data;

/// <summary>The regular files of a tar archive (POSIX ustar and what GNU made of it), one after the other. Other entries, long names and
/// attributes among them, are passed over.</summary>
/// <remarks>Not the runtime's reader, which holds an attribute record of any length in memory, and a packed archive of two megabytes can
/// hold one of two gigabytes.</remarks>
/// <param name="stream">The archive, unpacked; read forwards only, not disposed.</param>
internal sealed class TarFiles(Stream stream)
{
    private const int Block = 512, ChecksumAt = 148, ChecksumEnd = 156, TypeAt = 156, SizeAt = 124, SizeEnd = 136, NameEnd = 100;
    private readonly byte[] _buffer = new byte[1 << 16];
    private long _left;
    private int _padding;

    public (string Name, long Length)? Next()
    {
        while (true)
        {
            Take(_left + _padding, null);
            (_left, _padding) = (0, 0);
            var header = _buffer.AsSpan(0, Block);
            int read = stream.ReadAtLeast(header, Block, throwOnEndOfStream: false);
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

    /// <summary>The content of the file at hand; memory grows as it comes.</summary>
    public byte[] Content()
    {
        using var content = new MemoryStream();
        Take(_left, content);
        _left = 0;
        return content.ToArray();
    }

    private void Take(long count, Stream? target)
    {
        while (count > 0)
        {
            int read = stream.Read(_buffer, 0, (int)Math.Min(_buffer.Length, count));
            if (read == 0)
                throw new EndOfStreamException("it ends within a file.");
            target?.Write(_buffer, 0, read);
            count -= read;
        }
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
