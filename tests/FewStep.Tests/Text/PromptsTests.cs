using FewStep.Text;

namespace FewStep.Tests.Text;

public sealed class PromptsTests : FolderTests
{
    [Fact]
    public void A_line_is_a_prompt()
    {
        string path = Text("p.txt", "\ufeffa cat\r\n\r\n  a café at \"night\" \n\t\nlast");
        var prompts = Prompts.Read(path);
        Assert.Equal(["a cat", "a café at \"night\"", "last"], prompts.Texts);
        Assert.Equal((path, Sha256.OfFile(path), null), (prompts.Source, prompts.Hash, prompts.Images));
        Refused.With("line 2, is no text in UTF-8", () => Prompts.Read(_folder.Write("q.txt", [.. "a\nb"u8, 0xe9, .. "\n"u8])));
        Refused.With("holds no prompts", () => Prompts.Read(Text("r.txt", " \n\n")));
        Refused.With("line 1: the prompt has 10001", () => Prompts.Read(Text("s.txt", new string('a', 10_001))));
        Refused.With("zero character", () => Prompts.Read(Text("t.txt", "a\0b")));
    }

    [Fact]
    public void Of_captions_the_first_of_each_image_counts()
    {
        const string Captions = """
            {"info": {}, "images": [{"id": 9, "file_name": "9.jpg", "height": 4}, {"id": 2, "file_name": "2.jpg"}],
            "annotations": [{"id": 7, "image_id": 9, "caption": "later"}, {"id": 5, "image_id": 2, "caption": " two\n"},
            {"id": 3, "image_id": 9, "caption": "nine"}]}
            """;
        var prompts = Prompts.Read(Text("captions.json", Captions));
        Assert.Equal(["two", "nine"], prompts.Texts);
        Assert.Equal(["2.jpg", "9.jpg"], prompts.Images!);
        void Other(string part, string before, string after)
            => Refused.With(part, () => Prompts.Read(Text("other.json", Captions.Replace(before, after, StringComparison.Ordinal))));
        Other("the image 2 ('2.jpg') has no caption", "\"image_id\": 2", "\"image_id\": 9");
        Other("which is not in the file", "\"image_id\": 2", "\"image_id\": 4");
        Other("two images have the id 9", "\"id\": 2,", "\"id\": 9,");
        Other("no list of images", "\"images\"", "\"pictures\"");
        Other("COCO's form", "\"caption\": \"nine\"", "\"text\": \"nine\"");
        Other("is not valid", "]}", "");
    }

    private string Text(string name, string text) => _folder.Write(name, Encoding.UTF8.GetBytes(text));
}
