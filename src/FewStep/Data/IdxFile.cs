using System.IO.Compression;

namespace FewStep.Data;

/// <summary>The idx format of MNIST and its successors: unsigned bytes with a big-endian header, plain or gzip-compressed.</summary>
internal static class IdxFile
{
    private const long MaximumBytes = 4L << 30;

    public static (int[] Sizes, byte[] Bytes) Read(string path, int dimensions)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var gzip = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress)
                : null;
            return Read(gzip ?? (Stream)file, path, dimensions);
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidInputException($"{path} is truncated: it ends before the size that its header states.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw ReadFailure.Of(path, e);
        }
    }

    private static (int[] Sizes, byte[] Bytes) Read(Stream stream, string path, int dimensions)
    {
        var header = new byte[4 + 4 * dimensions];
        stream.ReadExactly(header);
        if (header[0] != 0 || header[1] != 0 || header[2] != 8 || header[3] != dimensions)
        {
            throw new InvalidInputException($"{path} is no idx file of unsigned bytes with {dimensions} dimension(s): its magic number is "
                + $"{Convert.ToHexStringLower(header.AsSpan(0, 4))}.");
        }

        var sizes = new int[dimensions];
        long total = 1;
        for (int i = 0; i < dimensions; i++)
        {
            uint size = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4 + 4 * i));
            total = size is 0 or > int.MaxValue ? -1 : total * size;
            if (total is < 0 or > MaximumBytes || total > Array.MaxLength)
                throw new InvalidInputException($"{path} states an impossible size {size} in dimension {i}.");
            sizes[i] = (int)size;
        }

        // Grown as the data comes, so that a lying header cannot claim memory that the file does not fill.
        using var content = new MemoryStream((int)Math.Min(total, 1 << 20));
        var buffer = new byte[1 << 16];
        while (content.Length < total)
        {
            int read = stream.Read(buffer, 0, (int)Math.Min(buffer.Length, total - content.Length));
            if (read == 0)
                throw new EndOfStreamException();
            content.Write(buffer, 0, read);
        }

        if (stream.ReadByte() >= 0)
            throw new InvalidInputException($"{path} is longer than its header states ({total} bytes of content).");
        return (sizes, content.ToArray());
    }
}
