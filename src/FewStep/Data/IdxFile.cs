using System.IO.Compression;

namespace FewStep.Data;

/// <summary>The idx format of MNIST and its successors: unsigned bytes with a big-endian header, plain or gzip-compressed.</summary>
internal static class IdxFile
{
    public static (int[] Sizes, byte[] Bytes) Read(string path, int dimensions)
    {
        try
        {
            using var file = InputFile.Open(path);
            using var gzip = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress)
                : null;
            long most = gzip is null ? file.Length : InputFile.UnpackedLimit(file.Length);
            return Read(gzip ?? (Stream)file, path, dimensions, most);
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

    private static (int[] Sizes, byte[] Bytes) Read(Stream stream, string path, int dimensions, long most)
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
            if (total < 0 || total > Array.MaxLength)
                throw new InvalidInputException($"{path} states an impossible size {size} in dimension {i}.");
            sizes[i] = (int)size;
        }

        if (total > most && stream is FileStream)
            throw new EndOfStreamException();
        if (total > most)
        {
            throw new InvalidInputException(
                $"{path} states {total} bytes of content, more than its own size makes likely ({most}); unpack it, or fetch it again.");
        }

        byte[] content = new byte[total];
        stream.ReadExactly(content);
        return stream.ReadByte() < 0 ? (sizes, content)
            : throw new InvalidInputException($"{path} is longer than its header states ({total} bytes of content).");
    }
}
