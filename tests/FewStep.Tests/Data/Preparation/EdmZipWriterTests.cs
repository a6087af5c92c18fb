using System.IO.Compression;
using System.Text.Json;
using FewStep.Data;
using FewStep.Denoising;

namespace FewStep.Tests.Data;

public sealed class EdmZipWriterTests : FolderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_data_set_is_read_back_and_made_of_the_same_bytes_again(int channels)
    {
        using var images = ListImageSet.Numbered(1003, channels);
        string path = _folder.File("a.zip"), again = _folder.File("b/b.zip");
        var made = Write(path, images);
        Assert.Equal(new PreparedImages(1003, images.Shape, 7), made);
        Write(again, images);
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(again));
        using var set = new ZipImageSet(path);
        Assert.Equal((1003, 7, images.Shape), (set.Count, set.Classes, set.Shape));
        byte[] expected = new byte[images.Shape.Dimension], found = new byte[images.Shape.Dimension];
        for (int i = 0; i < 1003; i += 17)
        {
            images.Read(i, expected);
            set.Read(i, found);
            Assert.Equal(expected, found);
            Assert.Equal(images.Label(i), set.Label(i));
        }

        using var zip = ZipFile.OpenRead(path);
        Assert.Equal(["00000/img00000000.png", "00000/img00000999.png", "00001/img00001000.png", "dataset.json"],
            new[] { 0, 999, 1000, 1003 }.Select(i => zip.Entries[i].FullName));
        Assert.All(zip.Entries, e => Assert.Equal((e.Length, 1980), (e.CompressedLength, e.LastWriteTime.Year)));
    }

    [Fact]
    public void Class_folders_of_any_size_become_labels_and_names()
    {
        _folder.Write("in/n02/b.JPEG", TinyImages.Jpeg(40, 200, 30, 60));
        _folder.Write("in/n02/a.png", TinyImages.Gray(24, 1)); // ImageNet has gray images among coloured ones
        _folder.Write("in/n01/z.png", TinyImages.Rgb(33, 2));
        _folder.Write("in/n01/notes.txt", [1]);
        string path = _folder.File("out.zip");
        using (var source = ImageSources.Open(_folder.File("in")))
        {
            Assert.Equal(new PreparedImages(3, new ImageShape(3, 16, 16), 2), EdmZipWriter.Write(path, source, ImageTransform.Box, 16));
        }

        using var set = new ZipImageSet(path);
        Assert.Equal([0, 1, 1], Enumerable.Range(0, 3).Select(set.Label));
        byte[] pixels = new byte[16 * 16 * 3];
        set.Read(2, pixels);
        Assert.InRange(pixels[0], 197, 203);
        set.Read(1, pixels);
        Assert.Equal(pixels[0], pixels[1]);
        using var zip = ZipFile.OpenRead(path);
        using var json = JsonDocument.Parse(zip.GetEntry("dataset.json")!.Open());
        Assert.Equal(["n01", "n02"], json.RootElement.GetProperty("classes").EnumerateArray().Select(c => c.GetString()));
        Assert.Equal("00000/img00000002.png", json.RootElement.GetProperty("labels")[2][0].GetString());
    }

    [Fact]
    public void Folders_are_ordered_part_by_part()
    {
        foreach (string name in new[] { "in/a/2.png", "in/a-b/1.png", "in/a/10.png" })
            _folder.Write(name, TinyImages.Gray(4, name.Length));
        using var source = new ClassFolderSource(_folder.File("in"));
        Assert.Equal(["a", "a-b"], source.ClassNames!);
        Assert.Equal([0, 0, 1], Enumerable.Range(0, 3).Select(source.Label));
        Assert.Equal(TinyImages.Noise(16, "in/a/10.png".Length), source.Read(0).Bytes);
    }

    [Fact]
    public void Splits_and_flat_folders()
    {
        _folder.Write("in/train/x/1.png", TinyImages.Gray(4, 1));
        _folder.Write("in/train/y/1.png", TinyImages.Gray(8, 2));
        _folder.Write("in/val/1.png", TinyImages.Gray(8, 3));
        using (var train = ImageSources.Open(_folder.File("in")))
        {
            Assert.Equal(2, train.Count);
        }

        using var val = ImageSources.Open(_folder.File("in"), DataSplit.Test);
        Assert.Equal((1, -1, null), (val.Count, val.Label(0), val.ClassNames));
        string path = _folder.File("out.zip");
        Assert.Equal(new ImageShape(3, 8, 8), EdmZipWriter.Write(path, val, ImageTransform.None, 0, colour: true).Shape);
        using var zip = ZipFile.OpenRead(path);
        using var reader = new StreamReader(zip.GetEntry("dataset.json")!.Open());
        Assert.Equal("""{"labels": null}""", reader.ReadToEnd());
    }

    [Fact]
    public void Cmyk_photographs_are_converted()
    {
        _folder.Write("in/a.jpg", CmykJpeg());
        using var source = new ClassFolderSource(_folder.File("in"));
        var image = source.Read(0);
        Assert.Equal(new ImageShape(3, 8, 8), image.Shape);
        Assert.All(image.Bytes, b => Assert.InRange(b, 60, 68)); // half of half
        Refused.With("4 colour components", () => new FolderImageSet(_folder.File("in")).Dispose());
    }

    [Fact]
    public void Nothing_is_left_of_an_interrupted_or_failed_data_set()
    {
        string path = _folder.File("out/a.zip");
        using var images = ListImageSet.Numbered(500);
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => EdmZipWriter.Write(
            path, new ImageSetSource(images), ImageTransform.None, 0, false, new Immediate(_ => stop.Cancel()), stop.Token));
        using var broken = ListImageSet.Numbered(30, broken: 20);
        Assert.Contains("broken", Assert.Throws<InvalidInputException>(() => Write(path, broken)).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public void What_makes_no_data_set_is_refused()
    {
        using var images = ListImageSet.Numbered(5);
        Refused.With(".zip", () => Write(_folder.File("a.tar"), images));
        Refused.With("resolution", () => EdmZipWriter.Write(_folder.File("a.zip"), new ImageSetSource(images), ImageTransform.Box, 0));
        _folder.Write("sizes/1.png", TinyImages.Rgb(4, 1));
        _folder.Write("sizes/2.png", TinyImages.Rgb(5, 1));
        Refused.With("by a transform",
            () => EdmZipWriter.Write(_folder.File("a.zip"), new ClassFolderSource(_folder.File("sizes")), ImageTransform.None, 0));
        _folder.Write("loose/x/1.png", TinyImages.Rgb(4, 1));
        _folder.Write("loose/y/1.png", TinyImages.Rgb(4, 1));
        _folder.Write("loose/1.png", TinyImages.Rgb(4, 1));
        Refused.With("beside the class folders", () => ImageSources.Open(_folder.File("loose")));
        Refused.With("no images at", () => ImageSources.Open(_folder.File("nothing")));
        Refused.With("A class map", () => ImageSources.Open(_folder.File("sizes"), null, "map.txt"));
        Refused.With("transform", () => ImageTransforms.Parse("lanczos"));
    }

    [Fact]
    public void More_entries_than_sixteen_bits_count_are_read_back()
    {
        using var file = new MemoryStream();
        using (var writer = new StoredZipWriter(file))
        {
            for (int i = 0; i < 70_000; i++)
                writer.Add($"{i:x}", [(byte)i]);
            writer.Finish();
        }

        file.Position = 0;
        using var zip = new ZipArchive(file, ZipArchiveMode.Read);
        Assert.Equal(70_000, zip.Entries.Count);
        using var last = zip.GetEntry("1116f")!.Open();
        Assert.Equal(69_999 % 256, last.ReadByte());
    }

    [Fact]
    public void Entries_beyond_four_gigabytes_are_read_back()
    {
        // ImageNet at 64x64 is 16 GB. The file begins with as many zeros as bring the second entry beyond 32 bits.
        using var file = new Shifted(uint.MaxValue - 100) { Position = uint.MaxValue - 100 };
        using (var writer = new StoredZipWriter(file))
        {
            writer.Add("near.png", TinyImages.Noise(90, 1));
            writer.Add("far.png", TinyImages.Noise(50, 2));
            writer.Add("farther.png", TinyImages.Noise(60, 3));
            writer.Finish();
        }

        using var zip = new ZipArchive(file, ZipArchiveMode.Read);
        Assert.Equal(["near.png", "far.png", "farther.png"], zip.Entries.Select(e => e.FullName));
        foreach (var (entry, seed) in zip.Entries.Zip([1, 2, 3]))
        {
            byte[] content = new byte[entry.Length];
            using var stream = entry.Open();
            stream.ReadExactly(content);
            Assert.Equal(TinyImages.Noise(content.Length, seed), content);
        }
    }

    private static PreparedImages Write(string path, ListImageSet images)
        => EdmZipWriter.Write(path, new ImageSetSource(images), ImageTransform.None, 0);

    // The smallest file of four components: all coefficients zero, so that every sample is 128.
    private static byte[] CmykJpeg() =>
    [
        0xff, 0xd8,
        0xff, 0xdb, 0, 67, 0, .. Enumerable.Repeat((byte)1, 64),
        0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0,
        0xff, 0xc4, 0, 20, 0x00, 1, .. new byte[15], 0,
        0xff, 0xc4, 0, 20, 0x10, 1, .. new byte[15], 0,
        0xff, 0xda, 0, 14, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0,
        0x00,
        0xff, 0xd9,
    ];

    private sealed class Immediate(Action<WorkProgress> act) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => act(value);
    }

    /// <summary>A stream that begins with zeros which take no memory.</summary>
    private sealed class Shifted(long zeros) : Stream
    {
        private readonly MemoryStream _rest = new();

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => true;

        public override long Length => zeros + _rest.Length;

        public override long Position { get; set; }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (Position < zeros)
            {
                int blank = (int)Math.Min(count, zeros - Position);
                buffer.AsSpan(offset, blank).Clear();
                Position += blank;
                return blank;
            }

            _rest.Position = Position - zeros;
            int read = _rest.Read(buffer, offset, count);
            Position += read;
            return read;
        }

        public override long Seek(long offset, SeekOrigin origin)
            => Position = origin switch { SeekOrigin.Begin => offset, SeekOrigin.Current => Position + offset, _ => Length + offset };

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count)
        {
            _rest.Position = Position - zeros;
            _rest.Write(buffer, offset, count);
            Position += count;
        }

        protected override void Dispose(bool disposing)
        {
            _rest.Dispose();
            base.Dispose(disposing);
        }
    }
}
