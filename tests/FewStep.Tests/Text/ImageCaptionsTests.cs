using FewStep.Data;
using FewStep.Tests.Data;
using FewStep.Text;

namespace FewStep.Tests.Text;

public sealed class ImageCaptionsTests : FolderTests
{
    private const int Side = 32;

    [Fact]
    public void A_text_beside_each_image_is_its_caption()
    {
        string set = Images("set", "b.png", "a.png", "more/c.png");
        Assert.False(ImageCaptions.AreIn(set));
        Refused.With("holds images without captions", () => Prompts.Read(set));
        Text("set/b.txt", "a bird \n\n");
        Refused.With("a.png in " + set + " has no caption 'a.txt'", () => Prompts.Read(set));
        Text("set/a.txt", "ein Apfel, größer");
        Text("set/more/c.txt", "\ufeffa cat\r\n");
        Assert.True(ImageCaptions.AreIn(set));
        var prompts = Prompts.Read(set);
        Assert.Equal(["a.png", "b.png", "more/c.png"], prompts.Images!);
        Assert.Equal(["ein Apfel, größer", "a bird", "a cat"], prompts.Texts);
        string before = prompts.Hash;
        Text("set/b.txt", "a boat");
        Assert.NotEqual(before, Prompts.Read(set).Hash);
        Text("set/b.txt", "one\ntwo");
        Refused.With("has 2 lines of text", () => Prompts.Read(set));
        Text("set/b.txt", " \n");
        Refused.With("has 0 lines of text", () => Prompts.Read(set));
        File.WriteAllBytes(_folder.File("set/b.txt"), [.. "caf"u8, 0xe9]);
        Refused.With("is no text in UTF-8", () => Prompts.Read(set));
    }

    [Fact]
    public void A_list_names_image_and_caption_in_each_line()
    {
        string set = Images("set", "a.png", "b.png"), list = _folder.File("set/metadata.jsonl");
        File.WriteAllText(list, ImageCaptions.Text([("b.png", "a \"bird\""), ("a.png", "an apple")]) + "\n");
        var prompts = Prompts.Read(set);
        Assert.Equal(["b.png", "a.png"], prompts.Images!); // in the order of the lines
        Assert.Equal(["a \"bird\"", "an apple"], prompts.Texts);
        Refused.With("give their folder", () => Prompts.Read(list));
        void Other(string part, string lines)
        {
            File.WriteAllText(list, lines);
            Refused.With(part, () => Prompts.Read(set));
        }

        const string First = """{"file_name": "a.png", "text": "x", "width": 4}""";
        Other("line 2 names 'a.png' a second time", First + "\n" + First);
        Other("line 2: 'b.png' has an empty caption", First + "\n" + """{"file_name": "b.png", "text": " "}""");
        Other("line 1 has no text text", """{"file_name": "a.png", "caption": "x"}""");
        Other("line 1 has no text file_name", "[1]");
        Other("line 1 is not valid JSON", "{");
        Other("has a caption of 'd.png', which is no image", First.Replace("a.png", "d.png", StringComparison.Ordinal));
        Other("holds no captions", "\n");
        Text("set/a.txt", "x");
        Other("has captions twice", First);
    }

    [Fact]
    public void Images_are_found_by_path_or_name_whatever_their_extension()
    {
        using var images = new FolderImageSet(Images("set", "1.png", "2.png", "more/3.png"));
        var pairs = CaptionedImageSet.Pair(images, ["val/2.jpg", "no.jpg", "1.jpg", "more/3.webp"])!;
        Assert.Equal([2, 0, 3], Enumerable.Range(0, 3).Select(pairs.Label));
        Assert.Equal((4, 3, images.Shape), (pairs.Classes, pairs.Count, pairs.Shape));
        Assert.NotEqual(images.Hash, pairs.Hash);
        byte[] bytes = new byte[3 * Side * Side], own = new byte[bytes.Length];
        pairs.Read(1, bytes);
        images.Read(1, own);
        Assert.Equal(own, bytes);
        Assert.Null(CaptionedImageSet.Pair(images, null));
        Assert.Null(CaptionedImageSet.Pair(images, ["x.png"]));
        Refused.With("'more/3.png' is none of the images that the prompts are captions of",
            () => CaptionedImageSet.Pair(images, ["1.png", "2.png"]));
        Refused.With("has the name of several images", () => CaptionedImageSet.Pair(images, ["1.png", "2.png", "a/3.png", "b/3.png"]));
        using var twice = new FolderImageSet(Images("twice", "a/1.png", "b/1.png"));
        Refused.With("would both be of the caption of '1.jpg'", () => CaptionedImageSet.Pair(twice, ["1.jpg"]));
    }

    [Fact]
    public void Training_images_of_a_model_of_prompts_have_their_own()
    {
        string set = Images("set", "a.png", "b.png");
        using var images = new FolderImageSet(set);
        using var scope = NewDisposeScope();
        Tensor? Labels(string[] texts, params string[]? captioned)
        {
            using var model = Model.Open(GoldenPipelines.At("sd15-tiny"), new()
            { Prompts = texts, CaptionedImages = captioned, ComputeType = float32, Device = DeviceChoice.Cpu });
            return model.Trained(model.Fitting(images)).Read([1, 0]).Labels;
        }

        Assert.Equal([0L, 2], Labels(["a bird", "none", "an apple"], "b.png", "c.png", "a.png")!.data<long>().ToArray());
        Assert.Null(Labels(["a bird"], "c.png"));
        Assert.Null(Labels(["a bird"], null));
        Refused.With("There are 1 prompts that are captions of 2 images", () => Labels(["a bird"], "a.png", "b.png"));
    }

    private string Images(string folder, params string[] names)
    {
        for (int i = 0; i < names.Length; i++)
            _folder.Write(Path.Combine(folder, names[i]), TinyImages.Rgb(Side, i));
        return Path.Combine(_folder.Root, folder);
    }

    private void Text(string name, string text) => File.WriteAllText(_folder.File(name), text);
}
