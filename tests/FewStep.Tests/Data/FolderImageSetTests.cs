using FewStep.Data;

namespace FewStep.Tests.Data;

public sealed class FolderImageSetTests : FolderTests
{
    [Fact]
    public void Subfolders_are_classes_in_ordinal_order()
    {
        _folder.Write("zebra/1.png", TinyImages.Gray(2, 1));
        _folder.Write("Ant/deep/2.png", TinyImages.Gray(2, 2));
        _folder.Write("bee/3.PNG", TinyImages.Gray(2, 3));
        _folder.Write(".hidden/4.png", TinyImages.Gray(9, 4));
        _folder.Write("notes.txt", [1]);
        using var set = new FolderImageSet(_folder.Root);

        Assert.Equal((3, 3), (set.Count, set.Classes));
        byte[] pixels = new byte[4];
        foreach (var (index, seed) in new[] { (0, 2), (1, 3), (2, 1) })
        {
            set.Read(index, pixels);
            Assert.Equal(TinyImages.Noise(4, seed), pixels);
            Assert.Equal(index, set.Label(index));
        }
    }

    [Fact]
    public void Links_to_folders_are_classes_too_and_never_lead_in_circles()
    {
        using var elsewhere = new TemporaryFolder();
        elsewhere.Write("pictures/deep/1.png", TinyImages.Gray(2, 1));
        Directory.CreateSymbolicLink(elsewhere.File("pictures/up"), elsewhere.Root);
        Directory.CreateSymbolicLink(elsewhere.File("pictures/deep/again"), elsewhere.File("pictures"));
        _folder.Write("a/1.png", TinyImages.Gray(2, 1));
        _folder.Write("c/1.png", TinyImages.Gray(2, 1));
        Directory.CreateSymbolicLink(_folder.File("b"), elsewhere.File("pictures"));
        Directory.CreateSymbolicLink(_folder.File("c/all"), _folder.Root);
        File.CreateSymbolicLink(_folder.File("c/2.png"), _folder.File("a/1.png"));
        using var set = new FolderImageSet(_folder.Root);
        Assert.Equal((4, 3), (set.Count, set.Classes));
        Assert.Equal([0, 1, 2, 2], Enumerable.Range(0, 4).Select(set.Label));
    }

    [Fact]
    public void Labels_below_the_top_are_read_or_refused()
    {
        _folder.Write("my/1.png", TinyImages.Gray(2, 1));
        _folder.Write("my/dataset.json", "{\"labels\": [[\"1.png\", 3]]}"u8.ToArray());
        using (var set = new FolderImageSet(_folder.Root))
        {
            Assert.Equal(3, set.Label(0));
        }

        _folder.Write("other/1.png", TinyImages.Gray(2, 1));
        Assert.Contains("my/dataset.json", Refusal(), StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => ImageSources.Open(_folder.Root));
    }

    [Fact]
    public void One_subfolder_or_none_gives_no_classes()
    {
        _folder.Write("only/1.png", TinyImages.Gray(2, 1));
        using var set = new FolderImageSet(_folder.Root);
        Assert.Equal((1, 0, -1), (set.Count, set.Classes, set.Label(0)));
    }

    [Fact]
    public void Loose_images_beside_class_folders_are_refused()
    {
        _folder.Write("a/1.png", TinyImages.Gray(2, 1));
        _folder.Write("b/1.png", TinyImages.Gray(2, 1));
        _folder.Write("loose.png", TinyImages.Gray(2, 1));
        Assert.Contains("loose.png", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_content_as_a_zip_has_the_same_labels_and_hash()
    {
        (string Name, byte[] Content)[] files =
            [("00000/a.png", TinyImages.Gray(2, 1)), ("00001/b.png", TinyImages.Gray(2, 2)),
                TinyImages.Json("""{"labels": [["00000/a.png", 3], ["00001/b.png", 2]]}""")];
        foreach (var (name, content) in files)
            _folder.Write("set/" + name, content);
        using var folder = new FolderImageSet(_folder.File("set"));
        using var zip = new ZipImageSet(_folder.Write("set.zip", TinyImages.Zip(files)));
        Assert.Equal((4, 3, 2), (folder.Classes, folder.Label(0), folder.Label(1)));
        Assert.Equal(zip.Hash, folder.Hash);

        _folder.Write("set/00000/a.png", TinyImages.Gray(2, 9));
        using var changed = new FolderImageSet(_folder.File("set"));
        Assert.NotEqual(zip.Hash, changed.Hash);
    }

    [Fact]
    public void A_loop_of_links_ends()
    {
        _folder.Write("a.png", TinyImages.Gray(2, 1));
        Directory.CreateSymbolicLink(_folder.File("loop"), _folder.Root);
        using var set = new FolderImageSet(_folder.Root);
        Assert.Equal(1, set.Count);
    }

    [Fact]
    public void Empty_and_missing_folders_are_refused()
    {
        Assert.Contains("no PNG or JPEG", Refusal(), StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => new FolderImageSet(_folder.File("gone/x")));
    }

    private string Refusal() => Assert.Throws<InvalidInputException>(() => new FolderImageSet(_folder.Root)).Message;
}
