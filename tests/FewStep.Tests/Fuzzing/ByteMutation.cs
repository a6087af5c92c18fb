using System.Buffers.Binary;
using System.IO.Compression;

namespace FewStep.Tests.Fuzzing;

/// <summary>Damages bytes as files are damaged, and as somebody would who means harm: flipped bits, numbers at their limits, runs cut out,
/// repeated, moved or made up, other numbers in text.</summary>
internal static class ByteMutation
{
    private const int LongestRun = 64;

    private static readonly byte[] Bytes = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, (byte)' ', (byte)'"', (byte)'{', (byte)'}', (byte)'[',
        (byte)']', (byte)'(', (byte)')', (byte)',', (byte)'.', (byte)'-', (byte)'\n'];
    private static readonly long[] Numbers = [-1, 0, 1, 2, 127, 128, 255, 256, 32767, 65535, 65536, 1 << 20, 1 << 30, int.MaxValue,
        uint.MaxValue, 1L << 40, 1L << 62, long.MaxValue, long.MinValue];
    private static readonly string[] Texts = ["-1", "0", "1", "2", "3", "7", "64", "100", "4096", "65537", "1000000", "2147483647",
        "9999999999", "9223372036854775807", "1e9", "1e400", "-0.0", "0.5", "NaN", "null", "true", "\"\"", "[]", "{}"];

    /// <summary>A damaged copy.</summary>
    /// <param name="whole">The bytes; not changed.</param>
    /// <param name="random">Decides.</param>
    /// <param name="isText">Whether they are text, in which numbers are the most telling to change.</param>
    public static byte[] Of(ReadOnlySpan<byte> whole, Random random, bool isText = false)
    {
        byte[] bytes = whole.ToArray();
        do
        {
            bytes = Once(bytes, random, isText);
        }
        while (random.Next(3) == 0);
        return bytes;
    }

    /// <summary>A damaged copy of a zip file: its bytes as they are, or those of an entry, packed again so that lengths and checksums
    /// fit.</summary>
    /// <param name="zip">The file; not changed.</param>
    /// <param name="random">Decides.</param>
    public static byte[] OfZip(byte[] zip, Random random)
    {
        if (random.Next(3) == 0)
            return Of(zip, random);
        using var source = new ZipArchive(new MemoryStream(zip), ZipArchiveMode.Read);
        int chosen = random.Next(source.Entries.Count), fate = random.Next(20);
        using var target = new MemoryStream();
        using (var archive = new ZipArchive(target, ZipArchiveMode.Create, leaveOpen: true))
        {
            for (int i = 0; i < source.Entries.Count; i++)
            {
                using var content = new MemoryStream();
                using (var stream = source.Entries[i].Open())
                {
                    stream.CopyTo(content);
                }

                byte[] bytes = content.ToArray();
                string name = source.Entries[i].FullName;
                if (i == chosen && fate == 0)
                {
                    continue; // lost
                }

                if (i == chosen && fate == 1)
                    name = "n" + Encoding.Latin1.GetString(Of(Encoding.Latin1.GetBytes(name), random)).Replace('\0', '0');
                else if (i == chosen)
                    bytes = Of(bytes, random, name.EndsWith(".json", StringComparison.Ordinal));
                using var entry = archive.CreateEntry(name, CompressionLevel.Fastest).Open();
                entry.Write(bytes);
            }
        }

        return target.ToArray();
    }

    private static byte[] Once(byte[] bytes, Random random, bool isText)
    {
        if (bytes.Length == 0)
            return [(byte)random.Next(256)];
        int at = Place(bytes, random), run = Math.Min(1 + random.Next(LongestRun), bytes.Length - at);
        switch (isText && random.Next(2) == 0 ? 9 : random.Next(10))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                bytes[at] = Bytes[random.Next(Bytes.Length)];
                return bytes;
            case 3 or 4:
                PutNumber(bytes.AsSpan(at), random);
                return bytes;
            case 5:
                return [.. bytes[..at], .. bytes[(at + run)..]];
            case 6:
                return [.. bytes[..at], .. Enumerable.Repeat(bytes[at..(at + run)], 1 + random.Next(4)).SelectMany(b => b), .. bytes[at..]];
            case 7:
                return random.Next(4) == 0 ? bytes[..at] : [.. bytes[..at], .. bytes.Skip(Place(bytes, random)).Take(run), .. bytes[at..]];
            case 8:
                byte[] made = new byte[run];
                random.NextBytes(made);
                return [.. bytes[..at], .. made, .. bytes[at..]];
            default:
                return OtherText(bytes, at, random);
        }
    }

    // Half of the places are where text begins: names and headers, not the numbers of weights, which most of a checkpoint is.
    private static int Place(byte[] bytes, Random random)
    {
        int at = random.Next(bytes.Length);
        if (random.Next(2) == 0)
        {
            int letters = 0;
            for (int i = at; i < Math.Min(bytes.Length, at + 200_000); i++)
            {
                letters = bytes[i] is >= (byte)' ' and < 0x7f ? letters + 1 : 0;
                if (letters == 5)
                    return Math.Clamp(i - random.Next(24) + 8, 0, bytes.Length - 1);
            }
        }

        return at;
    }

    private static void PutNumber(Span<byte> at, Random random)
    {
        long number = Numbers[random.Next(Numbers.Length)];
        switch (random.Next(6))
        {
            case 0 when at.Length >= 2:
                BinaryPrimitives.WriteInt16LittleEndian(at, (short)number);
                break;
            case 1 when at.Length >= 4:
                BinaryPrimitives.WriteInt32LittleEndian(at, (int)number);
                break;
            case 2 when at.Length >= 4:
                BinaryPrimitives.WriteInt32BigEndian(at, (int)number);
                break;
            case 3 when at.Length >= 8:
                BinaryPrimitives.WriteInt64LittleEndian(at, number);
                break;
            case 4 when at.Length >= 8:
                BinaryPrimitives.WriteInt64BigEndian(at, number);
                break;
            default:
                at[0] = (byte)number;
                break;
        }
    }

    // The next run of digits, as another number or another value.
    private static byte[] OtherText(byte[] bytes, int at, Random random)
    {
        static bool Digit(byte b) => b is >= (byte)'0' and <= (byte)'9' or (byte)'.' or (byte)'-';
        int start = at;
        while (start < bytes.Length && !Digit(bytes[start]))
            start++;
        int end = start;
        while (end < bytes.Length && Digit(bytes[end]))
            end++;
        return [.. bytes[..start], .. Encoding.ASCII.GetBytes(Texts[random.Next(Texts.Length)]), .. bytes[end..]];
    }
}
