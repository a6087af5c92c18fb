using System.Numerics;

namespace FewStep.Checkpoints;

/// <summary>Reads a pickle's bytes in order; every length is compared with what is left before anything is allocated.</summary>
internal sealed class PickleInput(ByteSource source, long position)
{
    private const int MaximumTextBytes = 16 << 20;
    private const int MaximumIntegerBytes = 256;
    private const int MaximumHeldBytes = 64;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly byte[] _buffer = new byte[1 << 12];
    private long _next = position;
    private int _at;
    private int _filled;

    public long Position => _next - (_filled - _at);
    private long Left => source.Length - Position;
    public byte Byte() => Take(1)[0];
    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));
    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));
    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    /// <summary>An 8-byte length, which must be left in the file.</summary>
    public long Length64()
    {
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
        return length <= (ulong)Left ? (long)length : throw Damaged($"a length of {length} bytes goes beyond the end");
    }

    /// <summary>An 8-byte big-endian float, as pickles store them.</summary>
    public double Float() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    /// <summary>A little-endian two's-complement integer of a given length: long where it fits, else BigInteger.</summary>
    public object Integer(long length)
    {
        if (length > MaximumIntegerBytes)
            throw Damaged($"an integer of {length} bytes");
        var value = new BigInteger(Take((int)length));
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    public string Text(long length)
    {
        if (length > MaximumTextBytes)
            throw Damaged($"a text of {length} bytes");
        ReadOnlySpan<byte> bytes = length <= _buffer.Length ? Take((int)length) : Bytes(length).ToArray(MaximumTextBytes);
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Damaged("a text that is not UTF-8");
        }
    }

    /// <summary>Text up to a newline, which is consumed.</summary>
    public string Line()
    {
        const int longest = 1024;
        var line = new List<byte>();
        for (byte next = Byte(); next != '\n'; next = Byte())
        {
            line.Add(next);
            if (line.Count > longest)
                throw Damaged("a name without end");
        }

        return Encoding.Latin1.GetString([.. line]);
    }

    /// <summary>A given number of bytes: many stay where they are; few (a NumPy number) are read and outlive the file.</summary>
    public ByteSource Bytes(long length)
    {
        if (length > Left)
            throw Damaged($"a length of {length} bytes goes beyond the end");
        if (length <= MaximumHeldBytes)
            return new ByteSource(Take((int)length).ToArray(), source.Name);
        ByteSource bytes = source.Slice(Position, length);
        if (length <= _filled - _at)
        {
            _at += (int)length;
        }
        else
        {
            _next = Position + length;
            _at = _filled = 0;
        }

        return bytes;
    }

    /// <summary>The exception for damage at the current position.</summary>
    public InvalidInputException Damaged(string what)
        => new($"{source.Name} is damaged or no checkpoint: {what}, near byte {Position}. Fetch or save it again.");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _filled - _at)
        {
            if (count > Left)
                throw Damaged("it ends too early");
            long here = Position;
            int fill = (int)Math.Min(_buffer.Length, Left);
            source.Read(here, _buffer.AsSpan(0, fill));
            (_at, _filled, _next) = (0, fill, here + fill);
        }

        _at += count;
        return _buffer.AsSpan(_at - count, count);
    }
}
