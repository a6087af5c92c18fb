using FewStep.Checkpoints;

namespace FewStep.Tests.Checkpoints;

/// <summary>NumPy arrays as files of their own.</summary>
internal static class NpyFiles
{
    public static NpyArray Read(string path) => ReadFailure.Guard(path, () =>
    {
        using var stream = File.OpenRead(path);
        return NpyFile.Read(stream, stream.Length, path);
    });

    public static void Write(string path, NpyArray array) => AtomicFile.Write(path, stream => NpyFile.Write(stream, array));
}
