using System.Formats.Tar;
using System.IO.Compression;
using FewStep.Data;
using FewStep.Denoising;
using FewStep.Tests.Checkpoints;

namespace FewStep.Tests.Data;

public sealed class CifarSourceTests : FolderTests
{
    [Fact]
    public void Folder_and_archive_give_the_same_images()
    {
        var files = Files();
        foreach (var (name, content) in files)
            _folder.Write("bin/" + name, content);
        string archive = Archive(files);
        using var folder = ImageSources.Open(_folder.File("bin"));
        using var packed = ImageSources.Open(archive);
        using var test = ImageSources.Open(archive, DataSplit.Test);
        Assert.Equal((15, 15, 2), (folder.Count, packed.Count, test.Count));
        Assert.Equal(["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"], test.ClassNames!);
        for (int i = 0; i < 15; i++)
        {
            byte[] record = files[$"data_batch_{1 + (i / 3)}.bin"].AsSpan(i % 3 * 3073, 3073).ToArray();
            Assert.Equal(record[0], folder.Label(i));
            var image = packed.Read(i);
            Assert.Equal(new ImageShape(3, 32, 32), image.Shape);
            Assert.Equal(folder.Read(i).Bytes, image.Bytes);
            // Row 5, column 7, green: the second plane.
            Assert.Equal(record[1 + 1024 + (5 * 32) + 7], image.Bytes[(((5 * 32) + 7) * 3) + 1]);
        }

        EdmZipWriter.Write(_folder.File("a.zip"), folder, ImageTransform.None, 0);
        EdmZipWriter.Write(_folder.File("b.zip"), packed, ImageTransform.None, 0);
        Assert.Equal(File.ReadAllBytes(_folder.File("a.zip")), File.ReadAllBytes(_folder.File("b.zip")));
    }

    [Fact]
    public void Names_come_from_the_archive()
    {
        var files = Files();
        files["batches.meta.txt"] = Encoding.ASCII.GetBytes("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
        using (var source = ImageSources.Open(Archive(files)))
        {
            Assert.Equal("j", source.ClassNames![9]);
        }

        files["batches.meta.txt"] = Encoding.ASCII.GetBytes("a\nb\n");
        Refused("2 classes", Archive(files));
    }

    [Fact]
    public void Damaged_archives_are_refused()
    {
        var cut = Files();
        cut["data_batch_3.bin"] = cut["data_batch_3.bin"][..5000];
        Refused("data_batch_3.bin", Archive(cut));
        var label = Files();
        label["data_batch_5.bin"][3073] = 10;
        Refused("label 10", Archive(label));
        var missing = Files();
        missing.Remove("data_batch_4.bin");
        Refused("holds no data_batch_4.bin", Archive(missing));
        Refused("tar.gz", _folder.Write("text.tar.gz", "no archive, nothing of the sort"u8.ToArray()));
        byte[] whole = File.ReadAllBytes(Archive(Files()));
        for (int length = 1; length < whole.Length * 0.9; length += whole.Length / 40) // the last bytes are padding
            Refused("", _folder.Write("cut.tar.gz", whole.AsSpan(0, length)));

        // A header that claims gigabytes.
        using var plain = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(whole), CompressionMode.Decompress))
        {
            gzip.CopyTo(plain);
        }

        byte[] tar = plain.ToArray();
        Encoding.ASCII.GetBytes("37777777777").CopyTo(tar, 124);
        int sum = tar.Take(512).Select((b, i) => i is >= 148 and < 156 ? 32 : (int)b).Sum();
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(tar, 148);
        Refused("", _folder.Write("claims.tar.gz", Gzip(tar)));
    }

    [Theory]
    [InlineData('x')] // attributes
    [InlineData('L')] // a long name
    [InlineData('S')] // a file with holes
    [InlineData('5')] // a folder
    public void Entries_of_other_kinds_are_passed_over_and_never_held(char kind)
    {
        // 64 MiB of nothing, which pack to kilobytes, before the batches.
        const long length = 64 << 20;
        byte[] header = new byte[512];
        Encoding.ASCII.GetBytes("something").CopyTo(header, 0);
        Encoding.ASCII.GetBytes(Convert.ToString(length, 8).PadLeft(11, '0')).CopyTo(header, 124);
        header[156] = (byte)kind;
        Encoding.ASCII.GetBytes("ustar\000").CopyTo(header, 257);
        Encoding.ASCII.GetBytes("        ").CopyTo(header, 148);
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(header);
            byte[] megabyte = new byte[1 << 20];
            for (long done = 0; done < length; done += megabyte.Length)
                gzip.Write(megabyte);
            using var rest = new GZipStream(File.OpenRead(Archive(Files())), CompressionMode.Decompress);
            rest.CopyTo(gzip);
        }

        string path = _folder.Write("other.tar.gz", packed.ToArray());
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        using var source = ImageSources.Open(path);
        Assert.Equal(15, source.Count);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < 16 << 20);
    }

    [Fact]
    public void An_archive_that_unpacks_to_far_more_than_its_size_is_refused()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            byte[] header = new byte[512];
            Encoding.ASCII.GetBytes("something").CopyTo(header, 0);
            Encoding.ASCII.GetBytes(Convert.ToString(512L << 20, 8).PadLeft(11, '0')).CopyTo(header, 124);
            Encoding.ASCII.GetBytes("        ").CopyTo(header, 148);
            Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
            gzip.Write(header);
            gzip.Write(new byte[1 << 20]);
        }

        Refused("the limit for its size", _folder.Write("bomb.tar.gz", packed.ToArray()));
    }

    [Fact]
    public void The_Python_version_gives_the_same_images_and_nothing_in_it_is_run()
    {
        var binary = Files();
        var python = Enumerable.Range(1, 5).ToDictionary(b => $"data_batch_{b}", b => Pickle(binary[$"data_batch_{b}.bin"]));
        python["test_batch"] = Pickle(binary["test_batch.bin"]);
        python["batches.meta"] = Meta("a", "b", "c", "d", "e", "f", "g", "h", "i", "j");
        string first = Archive(binary), second = _folder.File("cifar-10-python.tar.gz");
        File.Copy(first, _folder.File("copy.tar.gz"));
        File.Move(Archive(python), second);
        foreach (var (name, content) in python)
            _folder.Write("python/" + name, content);
        using var expected = ImageSources.Open(_folder.File("copy.tar.gz"));
        foreach (string path in new[] { second, _folder.File("python") })
        {
            using var source = ImageSources.Open(path);
            using var test = ImageSources.Open(path, DataSplit.Test);
            Assert.Equal((15, 2, "j"), (source.Count, test.Count, source.ClassNames![9]));
            Assert.All(Enumerable.Range(0, 15), i => Assert.Equal(expected.Label(i), source.Label(i)));
            Assert.All(Enumerable.Range(0, 15), i => Assert.Equal(expected.Read(i).Bytes, source.Read(i).Bytes));
        }

        python["data_batch_2"] = new PickleBuilder().Global("os", "system").Op("(").Text("true").Op("tR.").Bytes;
        Refused("os.system", Archive(python));
        python["data_batch_2"] = new PickleBuilder().Op("}.").Bytes;
        Refused("is no batch of CIFAR-10", Archive(python));
    }

    // As Python 2 wrote them: strings are of bytes, short ones with a length of one byte.
    private static byte[] Pickle(byte[] records)
    {
        int count = records.Length / 3073;
        byte[] planes = [.. Enumerable.Range(0, count).SelectMany(i => records[((i * 3073) + 1)..((i + 1) * 3073)])];
        var pickle = Short(new PickleBuilder().Op("}("), "labels").Op("](");
        for (int i = 0; i < count; i++)
            pickle.Op("K").Raw(records[i * 3073]);
        Short(pickle.Op("e"), "data").Global("numpy.core.multiarray", "_reconstruct").Op("(").Global("numpy", "ndarray")
            .Op("K").Raw(0, 0x85);
        Short(pickle, "b").Op("tR(K").Raw(1).Tuple(count, 3072).Global("numpy", "dtype").Op("(");
        Short(Short(pickle, "u1").Op("K").Raw(0).Op("K").Raw(1).Op("tR(K").Raw(3), "|").Op("NNN").Op("J").Int32(-1).Op("J").Int32(-1)
            .Op("K").Raw(0).Op("tb").Raw(0x89).Op("T").Int32(planes.Length).Raw(planes).Op("tb");
        return pickle.Op("u.").Bytes;
    }

    private static byte[] Meta(params string[] names)
        => names.Aggregate(Short(new PickleBuilder().Op("}("), "label_names").Op("]("), Short).Op("eu.").Bytes;

    private static PickleBuilder Short(PickleBuilder pickle, string text)
        => pickle.Op("U").Raw((byte)text.Length).Op(text);

    private static void Refused(string part, string path)
    {
        string message = Assert.Throws<InvalidInputException>(() => ImageSources.Open(path)).Message;
        Assert.Contains(part, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    private static Dictionary<string, byte[]> Files()
    {
        var files = Enumerable.Range(1, 5).ToDictionary(b => $"data_batch_{b}.bin", b => Batch(3, b));
        files["test_batch.bin"] = Batch(2, 9);
        return files;
    }

    private static byte[] Batch(int count, int seed)
    {
        byte[] batch = TinyImages.Noise(count * 3073, seed);
        for (int i = 0; i < count; i++)
            batch[i * 3073] = (byte)((seed + i) % 10);
        return batch;
    }

    private static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return packed.ToArray();
    }

    private string Archive(Dictionary<string, byte[]> files)
    {
        using var plain = new MemoryStream();
        using (var tar = new TarWriter(plain, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (name, content) in files)
            {
                tar.WriteEntry(
                    new UstarTarEntry(TarEntryType.RegularFile, "cifar-10-batches-bin/" + name) { DataStream = new MemoryStream(content) });
            }
        }

        return _folder.Write("cifar-10-binary.tar.gz", Gzip(plain.ToArray()));
    }
}
