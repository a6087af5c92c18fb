using FewStep.Platform;

namespace FewStep.Checkpoints;

/// <summary>Reads and writes NumPy's <c>.npy</c> files, versions 1 to 3: float16, float32, float64, int32, int64 and uint8, never Python objects.</summary>
public static class NpyFile
{
    /// <summary>Reads one array of at most 2 GiB.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">It cannot be read, is damaged, or holds another type.</exception>
    public static NpyArray Read(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return Read(stream, stream.Length, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw ReadFailure.Of(path, e);
        }
    }

    /// <summary>Writes one array, whole or not at all.</summary>
    /// <param name="path">Target.</param>
    /// <param name="array">Content.</param>
    /// <exception cref="InvalidInputException">The file cannot be written.</exception>
    public static void Write(string path, NpyArray array) => AtomicFile.Write(path, stream => Write(stream, array));

    /// <summary>Reads an array of a known length in bytes.</summary>
    /// <exception cref="InvalidInputException">It is damaged or holds another type.</exception>
    internal static NpyArray Read(Stream stream, long length, string name)
    {
        NpyHeader header = NpyHeader.Read(stream, length, name);
        Array values = NpyElement.Allocate(header.Descriptor, header.Count);
        stream.ReadExactly(NpyElement.Bytes(values));
        return new NpyArray(header.FortranOrder ? NpyElement.FromFortranOrder(values, header.Shape) : values, header.Shape);
    }

    /// <summary>Writes an array.</summary>
    internal static void Write(Stream stream, NpyArray array)
    {
        stream.Write(NpyHeader.Write(array));
        stream.Write(NpyElement.Bytes(array.Values));
    }
}
