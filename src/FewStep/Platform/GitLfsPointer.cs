namespace FewStep.Platform;

/// <summary>What Git leaves in place of a large file where its large-file storage (LFS) is not installed: a few lines of text.</summary>
internal static class GitLfsPointer
{
    private const int Longest = 1024;

    private static ReadOnlySpan<byte> Head => "version https://git-lfs.github.com/spec/"u8;

    /// <summary>Refuses a pointer by its name, which is not the file that it stands for.</summary>
    public static void Refuse(string path)
    {
        if (!File.Exists(path))
            return;
        using var stream = InputFile.Open(path);
        if (stream.Length > Longest || stream.Length < Head.Length)
            return;
        Span<byte> head = stackalloc byte[Head.Length];
        if (stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length && head.SequenceEqual(Head))
        {
            throw new InvalidInputException($"{path} is a Git LFS pointer, not the file that it stands for. Fetch that with 'git lfs pull' "
                + "in its folder, or download it.");
        }
    }
}
