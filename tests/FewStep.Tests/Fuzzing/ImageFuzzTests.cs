using System.Formats.Tar;
using System.IO.Compression;
using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Metrics;
using FewStep.Tests.Data;

namespace FewStep.Tests.Fuzzing;

/// <summary>Damaged idx files, zips and folders of images, published data sets, statistics.</summary>
public sealed class ImageFuzzTests : FolderTests
{
    private const int CifarRecord = 3073;

    [Fact]
    public void Idx_files()
    {
        byte[] images = [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 4, .. TinyImages.Noise(48, 1)], labels =
            [0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 2];
        string path = _folder.Write("train-images-idx3-ubyte", images);
        _folder.Write("train-labels-idx1-ubyte", labels);
        FuzzRun.Files("idx images", 1500, random => ByteMutation.Of(images, random), path, () => ReadAll(path));
        File.WriteAllBytes(path, images);
        string beside = _folder.File("train-labels-idx1-ubyte");
        FuzzRun.Files("idx labels", 500, random => ByteMutation.Of(labels, random), beside, () => ReadAll(path));
        File.WriteAllBytes(beside, labels);
        byte[] packed = Packed(images);
        string archive = _folder.Write("packed/train-images-idx3-ubyte.gz", packed);
        FuzzRun.Files("packed idx images", 500, random => ByteMutation.Of(packed, random), archive, () => ReadAll(archive));
    }

    [Fact]
    public void Zips_of_images()
    {
        byte[] zip = TinyImages.Zip(("00000/a.png", TinyImages.Rgb(6, 1)), ("00000/b.png", TinyImages.Rgb(6, 2)),
            TinyImages.Json("""{"labels": [["00000/a.png", 0], ["00000/b.png", 2]]}"""));
        string path = _folder.File("images.zip");
        FuzzRun.Files("zip of images", 1500, random => ByteMutation.OfZip(zip, random), path, () => ReadAll(path));
    }

    [Theory]
    [InlineData("png")]
    [InlineData("jpg")]
    public void Images_of_folders(string kind)
    {
        byte[] image = kind == "png" ? TinyImages.Rgb(8, 1) : TinyImages.Jpeg(16, 200, 20, 90);
        string path = _folder.File($"images/a.{kind}");
        FuzzRun.Files(kind, 1000, random => ByteMutation.Of(image, random), path, () => ReadAll(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public void Published_data_sets()
    {
        string npz = _folder.File("val_data.npz");
        NpzFile.Write(npz,
            new Dictionary<string, NpyArray> { ["data"] = new(TinyImages.Noise(2 * 48, 1), 2, 48), ["labels"] = new(new[] { 1L, 2 }, 2) });
        byte[] batch = File.ReadAllBytes(npz);
        FuzzRun.Files("batch of downsampled ImageNet", 800, random => ByteMutation.OfZip(batch, random), npz, () => Prepare(npz));
        for (int i = 1; i <= 5; i++)
            _folder.Write($"cifar/data_batch_{i}.bin", Cifar(i));
        string cifar = _folder.File("cifar/data_batch_3.bin");
        FuzzRun.Files(
            "batch of CIFAR", 300, random => ByteMutation.Of(Cifar(3), random), cifar, () => Prepare(Path.GetDirectoryName(cifar)!));
    }

    [Fact]
    public void Archives_of_CIFAR()
    {
        using var plain = new MemoryStream();
        using (var tar = new TarWriter(plain, TarEntryFormat.Pax, leaveOpen: true))
        {
            for (int i = 1; i <= 5; i++)
            {
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"cifar-10-batches-bin/data_batch_{i}.bin")
                { DataStream = new MemoryStream(Cifar(i)) });
            }
        }

        byte[] archive = plain.ToArray();
        string path = _folder.File("cifar-10-binary.tar.gz");
        FuzzRun.Files("archive of CIFAR", 500, random => Packed(Damaged(archive, random)), path, () => Prepare(path));
    }

    // Headers, which are a small part of an archive, are what there is to damage.
    private static byte[] Damaged(byte[] archive, Random random)
    {
        // an attribute record, its header, the file's header, and 6,146 bytes of images in 13 blocks
        const int block = 512, entry = 16 * block;
        int start = random.Next(archive.Length / entry) * entry;
        return [.. archive[..start], .. ByteMutation.Of(archive.AsSpan(start, 3 * block), random), .. archive[(start + (3 * block))..]];
    }

    private static byte[] Packed(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return packed.ToArray();
    }

    [Fact]
    public void Statistics()
    {
        string path = _folder.File("stats.npz");
        NpzFile.Write(path, new Dictionary<string, NpyArray>
        { ["mu"] = new(new double[3], 3), ["sigma"] = new(new double[] { 1, 0, 0, 0, 1, 0, 0, 0, 1 }, 3, 3) });
        byte[] whole = File.ReadAllBytes(path);
        FuzzRun.Files("statistics", 800, random => ByteMutation.OfZip(whole, random), path, () => StatisticsFile.Read(path).Dispose());
    }

    private static byte[] Cifar(int seed)
    {
        byte[] batch = TinyImages.Noise(2 * CifarRecord, seed);
        (batch[0], batch[CifarRecord]) = (1, 9);
        return batch;
    }

    private static void ReadAll(string path)
    {
        using var images = ImageSets.Open(path);
        byte[] pixels = new byte[images.Shape.Channels * images.Shape.Height * images.Shape.Width];
        for (int i = 0; i < images.Count; i++)
        {
            images.Read(i, pixels);
            images.Label(i);
        }
    }

    private static void Prepare(string path)
    {
        using var images = ImageSources.Open(path);
        for (int i = 0; i < images.Count; i++)
        {
            images.Read(i);
            images.Label(i);
        }
    }
}
