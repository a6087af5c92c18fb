using System.Buffers.Binary;
using System.IO.Compression;
using SkiaSharp;

namespace FewStep.Tests.Data;

/// <summary>Small encoded images and zips with known content. PNGs are put together by hand, so that the decoder is not tested with its own
/// encoder.</summary>
internal static class TinyImages
{
    /// <summary>A PNG of any colour type from raw samples.</summary>
    public static byte[] Png(
        int width, int height, byte colourType, byte[] samples, byte depth = 8, params (string Type, byte[] Data)[] extra)
    {
        using var file = new MemoryStream();
        file.Write([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = depth;
        header[9] = colourType;
        Chunk(file, "IHDR", header);
        foreach (var (type, data) in extra)
            Chunk(file, type, data);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            int rowBytes = samples.Length / height;
            for (int y = 0; y < height; y++)
            {
                zlib.WriteByte(0);
                zlib.Write(samples, y * rowBytes, rowBytes);
            }
        }

        Chunk(file, "IDAT", packed.ToArray());
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    public static byte[] Gray(int side, int seed) => Png(side, side, 0, Noise(side * side, seed));

    public static byte[] Rgb(int side, int seed) => Png(side, side, 2, Noise(side * side * 3, seed));

    /// <summary>A JPEG of one colour, which survives its losses to within a level or two.</summary>
    public static byte[] Jpeg(int side, byte red, byte green, byte blue, bool gray = false)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(side, side, gray ? SKColorType.Gray8 : SKColorType.Rgba8888, SKAlphaType.Opaque));
        bitmap.Erase(new SKColor(red, green, blue));
        using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 95);
        return data.ToArray();
    }

    public static byte[] Noise(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static byte[] Zip(params (string Name, byte[] Content)[] entries)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                using var stream = zip.CreateEntry(name).Open();
                stream.Write(content);
            }
        }

        return file.ToArray();
    }

    public static (string, byte[]) Json(string text) => ("dataset.json", Encoding.UTF8.GetBytes(text));

    /// <summary>Changes a number in the central directory's record of an entry.</summary>
    public static byte[] Lie(byte[] zip, string name, int fieldOffset, uint value)
    {
        byte[] nameBytes = Encoding.UTF8.GetBytes(name);
        for (int i = 0; i + 46 + nameBytes.Length <= zip.Length; i++)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(zip.AsSpan(i)) == 0x02014b50
                && zip.AsSpan(i + 46, nameBytes.Length).SequenceEqual(nameBytes))
            {
                BinaryPrimitives.WriteUInt32LittleEndian(zip.AsSpan(i + fieldOffset), value);
                return zip;
            }
        }

        throw new ArgumentException($"{name} is not in the zip.");
    }

    private static void Chunk(Stream file, string type, byte[] data)
    {
        byte[] typed = [.. Encoding.ASCII.GetBytes(type), .. data];
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(typed);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32(typed));
        file.Write(number);
    }

    private static uint Crc32(byte[] bytes)
    {
        uint crc = 0xffffffff;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int k = 0; k < 8; k++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
        }

        return ~crc;
    }
}
