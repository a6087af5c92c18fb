using System.IO.Compression;
using FewStep.Data;

namespace FewStep.Tests.Data;

public sealed class IdxFileTests : FolderTests
{
    private static readonly byte[] Header = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4];

    [Fact]
    public void Plain_and_compressed_files_are_read()
    {
        byte[] pixels = [.. Enumerable.Range(0, 24).Select(i => (byte)i)];
        string plain = Write("a", [.. Header, .. pixels]);
        var (sizes, bytes) = IdxFile.Read(plain, 3);
        Assert.Equal([2, 3, 4], sizes);
        Assert.Equal(pixels, bytes);
        string compressed = _folder.File("a.gz");
        using (var gzip = new GZipStream(File.Create(compressed), CompressionLevel.Fastest))
        {
            gzip.Write([.. Header, .. pixels]);
        }

        Assert.Equal(pixels, IdxFile.Read(compressed, 3).Bytes);
    }

    [Fact]
    public void Damage_is_one_clear_line()
    {
        byte[] whole = [.. Header, .. new byte[24]];
        for (int length = 1; length < whole.Length; length++)
            Refused(Write("t", whole[..length]), "truncated");
        Refused(Write("long", [.. whole, 1]), "longer");
        Refused(Write("magic", [1, .. whole[1..]]), "no idx file");
        Refused(Write("type", [0, 0, 13, .. whole[3..]]), "no idx file");
        Refused(Write("huge", [0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]), "impossible");
        Refused(Write("lie", [0, 0, 8, 3, 0, 0, 255, 255, 0, 0, 1, 0, 0, 0, 1, 0, 7]), "impossible size");
        Refused(Write("lie2", [0, 0, 8, 3, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 7]), "truncated");
        Refused(Write("x.gz", whole), "Cannot read");

        // 300 MB in a few bytes, though gzip could do it.
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write([0, 0, 8, 3, 0, 0, 0x4b, 0, 0, 0, 0, 128, 0, 0, 0, 128, 1]);
        }

        Refused(Write("bomb.gz", packed.ToArray()), "more than its own size");
        Refused(_folder.File("missing"), "Cannot read");
    }

    [Fact]
    public void Counts_of_images_and_labels_must_agree()
    {
        string images = Write("i", [.. Header, .. new byte[24]]), labels = Write("l", [0, 0, 8, 1, 0, 0, 0, 1, 5]);
        var error = Assert.Throws<InvalidInputException>(() => IdxImageSet.Read(images, labels));
        Assert.Contains("1 labels for the 2 images", error.Message, StringComparison.Ordinal);
    }

    private static void Refused(string path, string expected)
    {
        var error = Assert.Throws<InvalidInputException>(() => IdxFile.Read(path, 3));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private string Write(string name, byte[] bytes)
    {
        string path = _folder.File(name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
