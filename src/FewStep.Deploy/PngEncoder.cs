using System.Buffers.Binary;
using System.IO.Compression;

namespace FewStep.Deploy;

/// <summary>Writes 8-bit pixels as a PNG file (ISO/IEC 15948): grey or red, green and blue.</summary>
internal static class PngEncoder
{
    private const byte Depth = 8, Gray = 0, TrueColor = 2, FilterSub = 1;
    private static readonly uint[] Remainders = [.. Enumerable.Range(0, 256).Select(Remainder)];

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];

    /// <param name="pixels">Row after row, the channels of a pixel beside each other.</param>
    /// <param name="channels">1 or 3.</param>
    public static byte[] Encode(ReadOnlySpan<byte> pixels, int channels, int height, int width)
    {
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        header[8] = Depth;
        header[9] = channels == 1 ? Gray : TrueColor;
        using var file = new MemoryStream();
        file.Write(Signature);
        Chunk(file, "IHDR"u8, header);
        Chunk(file, "IDAT"u8, Compress(pixels, channels, width * channels));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    // Each row begins with its filter; the differences of neighbours compress better than the values of smooth images.
    private static byte[] Compress(ReadOnlySpan<byte> pixels, int channels, int stride)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            byte[] row = new byte[stride + 1];
            row[0] = FilterSub;
            for (int start = 0; start < pixels.Length; start += stride)
            {
                var values = pixels.Slice(start, stride);
                for (int i = 0; i < stride; i++)
                    row[i + 1] = (byte)(values[i] - (i < channels ? 0 : values[i - channels]));
                zlib.Write(row);
            }
        }

        return packed.ToArray();
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(type);
        file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Checksum(Checksum(uint.MaxValue, type), data));
        file.Write(number);
    }

    // CRC-32 of PNG, annex D.
    private static uint Checksum(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (byte value in data)
            crc = Remainders[(byte)(crc ^ value)] ^ (crc >> 8);
        return crc;
    }

    private static uint Remainder(int value)
    {
        uint remainder = (uint)value;
        for (int bit = 0; bit < 8; bit++)
            remainder = (remainder & 1) == 0 ? remainder >> 1 : 0xedb88320 ^ (remainder >> 1);
        return remainder;
    }
}
