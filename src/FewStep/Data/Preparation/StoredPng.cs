using ICSharpCode.SharpZipLib.Checksum;

namespace FewStep.Data;

/// <summary>Encodes images as PNG without compression, as EDM's data sets are: quick to read, and the same bytes everywhere.</summary>
internal static class StoredPng
{
    private const int LargestStoredBlock = 65535;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];

    public static byte[] Encode(PixelImage image)
    {
        var (channels, height, width) = (image.Shape.Channels, image.Shape.Height, image.Shape.Width);
        if (channels is not (1 or 3))
            throw new InvalidInputException($"PNG files hold 1 or 3 channels here, not {channels}.");

        // Each row begins with its filter: 0, none.
        int stride = width * channels;
        byte[] rows = new byte[checked(height * (stride + 1))];
        for (int y = 0; y < height; y++)
            image.Bytes.AsSpan(y * stride, stride).CopyTo(rows.AsSpan((y * (stride + 1)) + 1));
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        header[9] = (byte)(channels == 1 ? 0 : 2);
        using var file = new MemoryStream(rows.Length + 128);
        file.Write(Signature);
        Chunk(file, "IHDR"u8, header);
        Chunk(file, "IDAT"u8, Stored(rows));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    // RFC 1950 and 1951: a zlib stream of stored blocks.
    private static byte[] Stored(byte[] data)
    {
        using var stream = new MemoryStream(data.Length + (5 * ((data.Length / LargestStoredBlock) + 1)) + 6);
        stream.Write([0x78, 0x01]);
        Span<byte> head = stackalloc byte[5];
        for (int start = 0; start < data.Length; start += LargestStoredBlock)
        {
            int count = Math.Min(LargestStoredBlock, data.Length - start);
            head[0] = (byte)(start + count == data.Length ? 1 : 0);
            BinaryPrimitives.WriteUInt16LittleEndian(head[1..], (ushort)count);
            BinaryPrimitives.WriteUInt16LittleEndian(head[3..], (ushort)~count);
            stream.Write(head);
            stream.Write(data, start, count);
        }

        var adler = new Adler32();
        adler.Update(data);
        BinaryPrimitives.WriteUInt32BigEndian(head, (uint)adler.Value);
        stream.Write(head[..4]);
        return stream.ToArray();
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> type, byte[] data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        byte[] typed = [.. type, .. data];
        file.Write(typed);
        var crc = new Crc32();
        crc.Update(typed);
        BinaryPrimitives.WriteUInt32BigEndian(number, (uint)crc.Value);
        file.Write(number);
    }
}
