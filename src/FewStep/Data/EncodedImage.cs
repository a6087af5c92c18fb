using ICSharpCode.SharpZipLib.Checksum;

namespace FewStep.Data;

/// <summary>Walks the parts of PNG and JPEG files, so that no decoder gets one that is cut short or made to keep it busy.</summary>
/// <remarks>PNG: ISO/IEC 15948, 5.3 (chunks). JPEG: ITU-T T.81, B.1 (segments).</remarks>
internal static class EncodedImage
{
    // A progressive image has about ten; each costs a pass over all pixels.
    private const int MostScans = 100;
    private const int Signature = 8, ChunkHead = 8, ChunkSum = 4;

    /// <summary>Refuses an image that ends early, or whose checksums are wrong; its header must have been read before.</summary>
    public static void Check(byte[] file, string where)
    {
        if (!IsPng(file))
            CheckScans(file, where, needsEnd: true);
        else
            Chunks(file, where, chunk => CheckSum(file, chunk, where));
    }

    /// <summary>The image as a decoder is given it. Of a PNG only the chunks that pixels come from: others, profiles and texts of any
    /// length among them, would only be read.</summary>
    public static ReadOnlySpan<byte> ForDecoder(ReadOnlySpan<byte> file, string where)
    {
        if (!IsPng(file))
        {
            CheckScans(file, where, needsEnd: false);
            return file;
        }

        var kept = new List<Range>();
        Chunks(file, where, kept.Add);
        int length = Signature + kept.Sum(chunk => chunk.End.Value - chunk.Start.Value);
        if (length == file.Length)
            return file;
        byte[] shorter = new byte[length];
        file[..Signature].CopyTo(shorter);
        int at = Signature;
        foreach (var chunk in kept)
        {
            file[chunk].CopyTo(shorter.AsSpan(at));
            at += chunk.End.Value - chunk.Start.Value;
        }

        return shorter;
    }

    private static bool IsPng(ReadOnlySpan<byte> file) => file[0] == 0x89;

    // The chunks that a decoder may not pass over (their names begin with a capital), up to the last one.
    private static void Chunks(ReadOnlySpan<byte> file, string where, Action<Range> take)
    {
        const uint end = 0x49454e44; // IEND
        for (int at = Signature; file.Length - at >= ChunkHead + ChunkSum;)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file[at..]), type = BinaryPrimitives.ReadUInt32BigEndian(file[(at + 4)..]);
            if (length > file.Length - at - ChunkHead - ChunkSum)
                break;
            int next = at + ChunkHead + (int)length + ChunkSum;
            if (char.IsAsciiLetterUpper((char)file[at + 4]))
                take(at..next);
            if (type == end)
                return;
            at = next;
        }

        throw Damaged(where, "it is cut short");
    }

    private static void CheckSum(byte[] file, Range chunk, string where)
    {
        int start = chunk.Start.Value + 4, end = chunk.End.Value - ChunkSum;
        var sum = new Crc32();
        sum.Update(new ArraySegment<byte>(file, start, end - start));
        if (BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(end)) != (uint)sum.Value)
            throw Damaged(where, "a checksum is wrong");
    }

    private static void CheckScans(ReadOnlySpan<byte> file, string where, bool needsEnd)
    {
        const byte startOfScan = 0xda, endOfImage = 0xd9;
        int scans = 0;
        for (int at = 2; Marker(file, ref at) is { } marker;)
        {
            if (marker == endOfImage)
                return;
            if (marker == startOfScan && ++scans > MostScans)
                throw Damaged(where, $"it has more than {MostScans} scans");
            at += at + 2 <= file.Length ? BinaryPrimitives.ReadUInt16BigEndian(file[at..]) : 2;
        }

        if (needsEnd)
            throw Damaged(where, "it is cut short");
    }

    // The next marker that has a segment or ends the image, passing over a scan's data; the position behind it.
    private static byte? Marker(ReadOnlySpan<byte> file, ref int at)
    {
        while (at < file.Length - 1)
        {
            int found = file[at..^1].IndexOf((byte)0xff);
            if (found < 0)
                return null;
            at += found + 1;
            if (file[at] is not (0x00 or 0x01 or 0xff or (>= 0xd0 and <= 0xd8)))
                return file[at++];
        }

        return null;
    }

    private static InvalidInputException Damaged(string where, string what)
        => new($"{where} is damaged: {what}. Replace it or take it out.");
}
