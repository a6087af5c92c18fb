namespace FewStep.Platform;

/// <summary>The one place where files that a user names, or that lie in what a user names, are opened to be read: only regular files, or
/// links to them. A pipe would be waited for, and a device such as /dev/zero has no end.</summary>
internal static class InputFile
{
    /// <summary>Bytes that packed data may unpack to whatever its size; see <see cref="UnpackedLimit"/>.</summary>
    public const long SmallUnpacked = 128 << 20;

    private const int LargestRatio = 4;

    /// <summary>Opens a file for reading; the caller owns the stream.</summary>
    public static FileStream Open(string path) => ReadFailure.Guard(path, () =>
    {
        Check(path);
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
    });

    /// <summary>The whole content of a file of limited size.</summary>
    public static byte[] ReadAll(string path, long most)
    {
        using var file = Open(path);
        if (file.Length > most)
            throw new InvalidInputException($"{path} has {file.Length} bytes, more than any file of its kind ({most}).");
        return ReadFailure.Guard(path, () =>
        {
            byte[] content = new byte[file.Length];
            file.ReadExactly(content);
            return content;
        });
    }

    /// <summary>The text of a file of limited size, in UTF-8 or as its byte-order mark says.</summary>
    public static string ReadText(string path, long most)
    {
        using var reader = new StreamReader(new MemoryStream(ReadAll(path, most)), detectEncodingFromByteOrderMarks: true);
        return reader.ReadToEnd();
    }

    /// <summary>Refuses what is there and is no regular file with something in it; what is not there is left to whoever opens it.</summary>
    public static void Check(string path)
    {
        if (!File.Exists(path))
            return;
        // The system tells a pipe or a device from a file only by its size, which is 0. A link has a size of its own.
        var file = new FileInfo(path);
        var target = file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo;
        if (target is not { Exists: true, Length: > 0 })
            throw new InvalidInputException($"{path} is empty, or a pipe or device, and cannot be read; name a file that has content.");
    }

    /// <summary>The most bytes that packed data may unpack to: some, and four times its own size. More is a bomb, or can be stored without
    /// compression.</summary>
    public static long UnpackedLimit(long packed) => SmallUnpacked + (LargestRatio * packed);
}
