using FewStep.Data;
using FewStep.Denoising;

namespace FewStep.Tests.Data;

public sealed class ZipImageSetTests : FolderTests
{
    [Fact]
    public void Reads_images_in_order_of_names_with_their_labels()
    {
        byte[] first = TinyImages.Noise(27, 1), second = TinyImages.Noise(27, 2);
        using var set = Open(
            ("00000/b.png", TinyImages.Png(3, 3, 2, second)),
            ("00000/a.png", TinyImages.Png(3, 3, 2, first)),
            ("LICENSE.txt", [1, 2, 3]),
            TinyImages.Json("""{"labels": [["00000/b.png", 4], ["00000/a.png", 0]]}"""));

        Assert.Equal((2, 5, new ImageShape(3, 3, 3)), (set.Count, set.Classes, set.Shape));
        Assert.Equal([0, 4], [set.Label(0), set.Label(1)]);
        byte[] pixels = new byte[27];
        set.Read(0, pixels);
        Assert.Equal(first, pixels);
        set.Read(1, pixels);
        Assert.Equal(second, pixels);
        Assert.Matches("^[0-9a-f]{64}$", set.Hash);
    }

    [Theory]
    [InlineData("""{"labels": null}""")]
    [InlineData("""{"note": [1]}""")]
    [InlineData(null)]
    public void Without_labels_there_are_no_classes(string? json)
    {
        (string, byte[])[] entries = [("a.png", TinyImages.Gray(4, 0))];
        using var set = Open(json is null ? entries : [.. entries, TinyImages.Json(json)]);
        Assert.Equal((0, -1, 1), (set.Classes, set.Label(0), set.Shape.Channels));
    }

    [Fact]
    public void A_list_of_class_names_gives_the_number_of_classes()
    {
        using var set = Open(
            ("a.png", TinyImages.Gray(2, 0)), TinyImages.Json("""{"labels": [["a.png", 1]], "classes": ["x", "y", "z", "w"]}"""));
        Assert.Equal(4, set.Classes);
    }

    [Fact]
    public void Can_be_read_from_many_threads()
    {
        (string, byte[])[] entries = [.. Enumerable.Range(0, 200).Select(i => ($"{i:D4}.png", TinyImages.Gray(16, i)))];
        using var set = Open(entries);
        Parallel.For(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            byte[] pixels = new byte[256];
            set.Read(i % 200, pixels);
            Assert.Equal(TinyImages.Noise(256, i % 200), pixels);
        });
    }

    [Theory]
    [InlineData("../a.png")]
    [InlineData("x/../../a.png")]
    [InlineData("/etc/a.png")]
    [InlineData("c:/a.png")]
    [InlineData("x\\a.png")]
    [InlineData("x//a.png")]
    [InlineData("a\u001b[2J.png")]
    public void Unsafe_names_are_refused_and_shown_harmlessly(string name)
    {
        string message = Refusal(TinyImages.Zip((name, TinyImages.Gray(2, 0))));
        Assert.Contains("unsafe name", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', message);
    }

    [Theory]
    [InlineData("""{"labels": [["a.png", 0], ["b.png", 1.5]]}""", "1.5")]
    [InlineData("""{"labels": [["a.png", 0], ["b.png", "1"]]}""", "\"1\"")]
    [InlineData("""{"labels": [["a.png", 0], ["b.png", [0, 1]]]}""", "[0, 1]")]
    [InlineData("""{"labels": [["a.png", 0], ["b.png", null]]}""", "null")]
    [InlineData("""{"labels": [["a.png", 0], ["b.png", -1]]}""", "-1")]
    [InlineData("""{"labels": [["a.png", 0], ["b.png", 1000000000000]]}""", "1000000000000")]
    [InlineData("""{"labels": [["a.png", 0], ["b.png"]]}""", "[name, class]")]
    [InlineData("""{"labels": [["a.png", 0], ["c.png", 0]]}""", "c.png")]
    [InlineData("""{"labels": [["a.png", 0], ["a.png", 0]]}""", "second time")]
    [InlineData("""{"labels": [["a.png", 0]]}""", "b.png")]
    [InlineData("""{"labels": {"a.png": 0}}""", "must be a list")]
    [InlineData("""[1, 2]""", "must be an object")]
    [InlineData("""{"labels": [""", "not valid JSON")]
    [InlineData("""{"labels": [["\ud800", 1]]}""", "not valid JSON")]
    public void Bad_labels_are_refused(string json, string expected) => Assert.Contains(
        expected, Refusal(TinyImages.Zip(("a.png", TinyImages.Gray(2, 0)), ("b.png", TinyImages.Gray(2, 1)), TinyImages.Json(json))),
        StringComparison.Ordinal);

    [Fact]
    public void Deep_json_is_refused() =>
        Assert.Contains("not valid JSON",
            Refusal(TinyImages.Zip(("a.png", TinyImages.Gray(2, 0)), TinyImages.Json("{\"x\": " + new string('[', 100_000)))),
            StringComparison.Ordinal);

    [Fact]
    public void Differing_shapes_are_refused_by_name() =>
        Assert.Contains(
            "b.png", Refusal(TinyImages.Zip(("a.png", TinyImages.Gray(2, 0)), ("b.png", TinyImages.Gray(3, 1)))), StringComparison.Ordinal);

    [Fact]
    public void Non_images_are_refused_by_name()
    {
        Assert.Contains("b.png", Refusal(TinyImages.Zip(("a.png", TinyImages.Gray(2, 0)), ("b.png", TinyImages.Noise(100, 1)))),
            StringComparison.Ordinal);
        Assert.Contains("b.webp", Refusal(TinyImages.Zip(("a.png", TinyImages.Gray(2, 0)), ("b.webp", TinyImages.Noise(100, 1)))),
            StringComparison.Ordinal);
        Assert.Contains("no PNG or JPEG", Refusal(TinyImages.Zip(("a.txt", [1]))), StringComparison.Ordinal);
        Assert.Contains("zip", Refusal(TinyImages.Noise(1000, 1)), StringComparison.Ordinal);
    }

    [Fact]
    public void Doubled_names_are_refused()
    {
        byte[] image = TinyImages.Gray(2, 0);
        Assert.Contains("twice", Refusal(TinyImages.Zip(("a.png", image), ("a.png", image))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10u)] // too short
    [InlineData(60_000u)] // too long
    [InlineData(0x7fffffffu)] // far too long
    public void Lying_sizes_are_refused(uint size)
    {
        byte[] zip = TinyImages.Lie(TinyImages.Zip(("a.png", TinyImages.Gray(20, 0))), "a.png", 24, size);
        Assert.Contains("a.png", Refusal(zip), StringComparison.Ordinal);
    }

    [Fact]
    public void A_bomb_is_refused_before_it_is_unpacked()
    {
        byte[] zip = TinyImages.Zip(("a.png", new byte[(64 << 20) + 1]));
        Assert.True(zip.Length < 200_000);
        Assert.Contains("unpacks to", Refusal(zip), StringComparison.Ordinal);
    }

    [Fact]
    public void Entries_that_share_bytes_are_refused()
    {
        byte[] one = TinyImages.Zip(("a.png", TinyImages.Rgb(64, 0)));
        int directory = one.AsSpan().IndexOf("PK\u0001\u0002"u8), end = one.AsSpan().IndexOf("PK\u0005\u0006"u8);
        byte[] second = one[directory..end], last = one[end..];
        second[46] = (byte)'b';
        (last[8], last[10]) = (2, 2); // entries
        last[12] *= 2; // bytes of the directory
        Assert.Contains("share bytes", Refusal([.. one[..end], .. second, .. last]), StringComparison.Ordinal);
    }

    [Fact]
    public void Encrypted_entries_and_wrong_checksums_are_refused()
    {
        byte[] zip = TinyImages.Zip(("a.png", TinyImages.Gray(20, 0)));
        int directory = zip.AsSpan().IndexOf("PK\u0001\u0002"u8);
        byte[] encrypted = [.. zip];
        encrypted[directory + 8] |= 1;
        Assert.Contains("encrypted", Refusal(encrypted), StringComparison.Ordinal);
        byte[] wrong = [.. zip];
        wrong[directory + 16] ^= 1;
        Assert.Contains("checksum", Refusal(wrong), StringComparison.Ordinal);
    }

    [Fact]
    public void All_entries_together_may_not_unpack_to_much_more_than_the_file()
    {
        byte[] nothing = new byte[48 << 20];
        byte[] zip = TinyImages.Zip(("a.png", nothing), ("b.png", nothing), ("c.png", nothing));
        Assert.True(zip.Length < 500_000);
        Assert.Contains("the limit for its size", Refusal(zip), StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_take_memory_for_labels_only()
    {
        byte[] json = Encoding.ASCII.GetBytes("{\"labels\": [1" + string.Concat(Enumerable.Repeat(",1", 6 << 20)) + "]}");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidInputException>(() => DatasetLabels.Parse(json, ["a.png"], DatasetLabels.FileName, "x"));
        json[2] = (byte)'x';
        Assert.Equal(0, DatasetLabels.Parse(json, ["a.png"], DatasetLabels.FileName, "x").Classes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.Contains("unpacks to", Refusal(TinyImages.Zip(("a.png", TinyImages.Gray(2, 0)), ("dataset.json", new byte[20 << 20]))),
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_macOS_puts_beside_the_images_is_left_out()
    {
        byte[] note = [0, 5, 22, 7];
        using var set = Open(("a/1.png", TinyImages.Gray(2, 0)), ("__MACOSX/a/._1.png", note), (".DS_Store", note), ("a/._1.png", note));
        Assert.Equal(1, set.Count);
    }

    [Fact]
    public void Labels_in_a_folder_of_all_images_are_read_and_others_never_lost()
    {
        using (var set = Open(("my/x/a.png", TinyImages.Gray(2, 0)), ("my/x/b.png", TinyImages.Gray(2, 1)),
            ("my/dataset.json", "\ufeff{\"labels\": [[\"x/a.png\", 2], [\"x/b.png\", 1]]}"u8.ToArray())))
        {
            Assert.Equal((3, 2, 1), (set.Classes, set.Label(0), set.Label(1)));
        }

        (string, byte[]) json = ("my/dataset.json", "{\"labels\": [[\"a.png\", 2]]}"u8.ToArray());
        byte[] beside = TinyImages.Zip(("my/a.png", TinyImages.Gray(2, 0)), ("b.png", TinyImages.Gray(2, 0)), json);
        Assert.Contains("my/dataset.json", Refusal(beside), StringComparison.Ordinal);
    }

    [Fact]
    public void Truncated_and_damaged_zips_are_refused_or_read_but_never_crash()
    {
        byte[] zip = TinyImages.Zip(("a.png", TinyImages.Gray(8, 0)), ("b.png", TinyImages.Gray(8, 1)),
            TinyImages.Json("""{"labels": [["a.png", 0], ["b.png", 1]]}"""));
        for (int i = 0; i < zip.Length; i += 3)
        {
            Refusal(zip[..i]);
            byte[] damaged = [.. zip];
            damaged[i] ^= 0xff;
            string path = _folder.Write("damaged.zip", damaged);
            try
            {
                using var set = new ZipImageSet(path);
                byte[] pixels = new byte[set.Shape.Dimension];
                for (int image = 0; image < set.Count; image++)
                    set.Read(image, pixels);
            }
            catch (InvalidInputException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    [Fact]
    public void A_missing_file_is_refused() =>
        Assert.Contains("nothing.zip", Assert.Throws<InvalidInputException>(() => new ZipImageSet(_folder.File("nothing.zip"))).Message,
            StringComparison.Ordinal);

    private ZipImageSet Open(params (string, byte[])[] entries) => new(_folder.Write("set.zip", TinyImages.Zip(entries)));

    private string Refusal(byte[] zip)
    {
        string path = _folder.Write("bad.zip", zip);
        string message = Assert.Throws<InvalidInputException>(() => new ZipImageSet(path).Dispose()).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
