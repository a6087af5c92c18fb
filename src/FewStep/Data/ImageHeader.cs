namespace FewStep.Data;

/// <summary>Reads an image's shape from its first bytes, so that no decoder gets an image before its size is known to be sane.</summary>
/// <remarks>PNG: ISO/IEC 15948, 11.2.2 (IHDR). JPEG: ITU-T T.81, B.2.2 (frame header).</remarks>
internal static class ImageHeader
{
    /// <summary>Largest width and height that is decoded, in pixels.</summary>
    public const int LargestSide = 8192;

    // Pixels are made room for before they are decoded, so the room is bounded by the file's size; photographs take several bits each.
    private const int SmallImage = 1 << 24, PixelsPerByte = 4;

    private static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];
    private static ReadOnlySpan<byte> PngHeaderChunk => [0, 0, 0, 13, (byte)'I', (byte)'H', (byte)'D', (byte)'R'];

    /// <summary>Reads the shape: 1 channel for gray images (transparent or not), else 3.</summary>
    public static ImageShape Read(ReadOnlySpan<byte> file, string where, bool acceptCmyk = false)
    {
        (int channels, long height, long width) = file.StartsWith(PngSignature) ? ReadPng(file, where)
            : file.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff]) ? ReadJpeg(file, where, acceptCmyk)
            : throw new InvalidInputException($"{where} is neither a PNG nor a JPEG image, whatever its name says.");
        if (height is < 1 or > LargestSide || width is < 1 or > LargestSide)
            throw new InvalidInputException($"{where} claims {width} x {height} pixels; sides must be 1 to {LargestSide}.");
        if (width * height > SmallImage + ((long)PixelsPerByte * file.Length))
        {
            throw new InvalidInputException($"{where} claims {width} x {height} pixels in {file.Length} bytes; an image of more than "
                + $"{SmallImage} pixels needs a byte for every {PixelsPerByte} further ones. Make it smaller or take it out.");
        }

        return new ImageShape(channels, (int)height, (int)width);
    }

    private static (int Channels, long Height, long Width) ReadPng(ReadOnlySpan<byte> file, string where)
    {
        if (file.Length < 33 || !file[8..].StartsWith(PngHeaderChunk))
            throw Damaged(where);
        uint width = BinaryPrimitives.ReadUInt32BigEndian(file[16..]);
        uint height = BinaryPrimitives.ReadUInt32BigEndian(file[20..]);
        if (file[24] > 8)
            throw new InvalidInputException($"{where} has {file[24]} bits a channel; convert it to 8.");
        int channels = file[25] switch
        {
            0 or 4 => 1,
            2 or 3 or 6 => 3,
            _ => throw Damaged(where),
        };
        return (channels, height, width);
    }

    private static (int Channels, long Height, long Width) ReadJpeg(ReadOnlySpan<byte> file, string where, bool acceptCmyk)
    {
        int at = 2;
        while (at + 4 <= file.Length && file[at] == 0xff)
        {
            byte marker = file[at + 1];
            if (marker == 0xff)
            {
                at++; // fill byte
                continue;
            }

            if (marker is 0x01 or (>= 0xd0 and <= 0xd7))
            {
                at += 2; // no parameters
                continue;
            }

            int length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
            if (length < 2 || marker is 0xd8 or 0xd9 or 0xda)
            {
                break; // image data or the end before any frame header
            }

            // DHT (c4), JPG (c8) and DAC (cc) lie in the range of the frame headers and are none.
            if (marker is >= 0xc0 and <= 0xcf and not (0xc4 or 0xc8 or 0xcc))
                return length >= 8 && at + 10 <= file.Length ? ReadFrame(file.Slice(at + 4, 6), where, acceptCmyk) : throw Damaged(where);
            at += 2 + length;
        }

        throw Damaged(where);
    }

    private static (int Channels, long Height, long Width) ReadFrame(ReadOnlySpan<byte> frame, string where, bool acceptCmyk)
    {
        if (frame[0] != 8)
            throw new InvalidInputException($"{where} has {frame[0]} bits a channel; convert it to 8.");
        if (frame[5] is not (1 or 3) && !(acceptCmyk && frame[5] == 4))
            throw new InvalidInputException($"{where} has {frame[5]} colour components; convert it to gray or RGB.");
        return (frame[5] == 1 ? 1 : 3, BinaryPrimitives.ReadUInt16BigEndian(frame[1..]), BinaryPrimitives.ReadUInt16BigEndian(frame[3..]));
    }

    private static InvalidInputException Damaged(string where)
        => new($"{where} is damaged: its header cannot be read. Replace it or take it out.");
}
