using FewStep.Checkpoints;

namespace FewStep.Onnx;

/// <summary>One field of a protobuf message.</summary>
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
                position += used + ((key & 7) == 1 ? 8 : 4);
                return position <= message.Length ? new ProtobufField(number, 0, null) : throw Damaged(message);
            default:
                throw Damaged(message);
        }
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
        => new($"{message.Name} is no sound ONNX file; fetch or export it again.");
}
