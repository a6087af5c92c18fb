using FewStep.Data;
using FewStep.Denoising;

namespace FewStep.Tests.Data;

public sealed class ZipImageSetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

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
            Refusal(TinyImages.Zip(("a.png", TinyImages.Gray(2, 0)), TinyImages.Json(new string('[', 100_000)))), StringComparison.Ordinal);

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
