namespace FewStep.Checkpoints;

/// <summary>One field of a protobuf message.</summary>
/// <param name="Value">A number, or the bits of one of 4 or 8 bytes.</param>
/// <param name="Content">Text, bytes or a message; null for a number.</param>
internal readonly record struct ProtobufField(int Number, ulong Value, ByteSource? Content);

/// <summary>Walks the fields of a protobuf message without reading what they hold.</summary>
internal static class ProtobufFields
{
    private const int LongestHead = 20; // a key and a length or value, ten bytes each at most

    /// <summary>The fields of a message in order.</summary>
    public static IEnumerable<ProtobufField> Of(ByteSource message)
    {
        long position = 0;
        while (position < message.Length)
            yield return Next(message, ref position);
    }

    private static ProtobufField Next(ByteSource message, ref long position)
    {
        Span<byte> head = stackalloc byte[LongestHead];
        head = head[..(int)Math.Min(LongestHead, message.Length - position)];
        message.Read(position, head);
        int used = 0;
        ulong key = Number(message, head, ref used);
        int number = key >> 3 is > 0 and < 1 << 29 ? (int)(key >> 3) : throw Damaged(message);
        switch (key & 7)
        {
            case 0:
                ulong value = Number(message, head, ref used);
                position += used;
                return new ProtobufField(number, value, null);
            case 2:
                ulong length = Number(message, head, ref used);
                position += used;
                if (length > (ulong)(message.Length - position))
                    throw Damaged(message);
                var content = message.Slice(position, (long)length);
                position += (long)length;
                return new ProtobufField(number, 0, content);
            case 1 or 5:
                return new ProtobufField(number, Fixed(message, position + used, (key & 7) == 1 ? 8 : 4, out position), null);
            default:
                throw Damaged(message);
        }
    }

    private static ulong Fixed(ByteSource message, long from, int size, out long end)
    {
        end = from + size;
        if (end > message.Length)
            throw Damaged(message);
        Span<byte> bits = stackalloc byte[8];
        bits.Clear();
        message.Read(from, bits[..size]);
        return BinaryPrimitives.ReadUInt64LittleEndian(bits);
    }

    /// <summary>A number of one byte for each seven bits, the lowest first.</summary>
    public static ulong Number(ByteSource message, ReadOnlySpan<byte> bytes, ref int used)
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            byte part = used < bytes.Length ? bytes[used++] : throw Damaged(message);
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }

        throw Damaged(message);
    }

    private static InvalidInputException Damaged(ByteSource message)
        => new($"{message.Name} is no sound protobuf file; fetch or export it again.");
}
