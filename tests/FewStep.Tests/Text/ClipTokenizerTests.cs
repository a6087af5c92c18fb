using System.Text.Json;
using FewStep.Text;

namespace FewStep.Tests.Text;

/// <summary>Held against Hugging Face's tokenizers (the Rust library) with the first thousand merges of CLIP's vocabulary.</summary>
public sealed class ClipTokenizerTests : FolderTests
{
    [Fact]
    public void Ids_are_those_of_the_fast_tokenizer()
    {
        var tokenizer = ClipTokenizer.Open(GoldenPipelines.At("sd15-tiny", "tokenizer"));
        Assert.Equal(77, tokenizer.Length);
        using var golden = JsonDocument.Parse(File.ReadAllBytes(GoldenPipelines.At("sd15-tiny", "tokenizer.golden.json")));
        int all = 0, agreed = 0;
        foreach (var text in golden.RootElement.EnumerateArray())
        {
            string prompt = text.GetProperty("text").GetString()!;
            bool agree = text.GetProperty("all_agree").GetBoolean();
            var ids = tokenizer.Encode(prompt);
            Assert.Equal(Ids(text.GetProperty(agree ? "ids" : "ids_rust")), ids.Select(id => (long)id));
            if (agree)
                Assert.Equal(Ids(text.GetProperty("padded77")), tokenizer.Padded(ids, 77));
            all++;
            agreed += agree ? 1 : 0;
        }

        Assert.Equal((26, 21), (all, agreed));
    }

    [Fact]
    public void Signs_beyond_the_first_plane_are_letters_and_halves_of_them_harmless()
    {
        var tokenizer = ClipTokenizer.Open(GoldenPipelines.At("sd15-tiny", "tokenizer"));
        Assert.Equal(tokenizer.Encode("\U00020000 !"), tokenizer.Encode("\U00020000!")); // a Chinese letter, then a sign: two words
        Assert.Equal(tokenizer.Encode("\ufffd"), tokenizer.Encode("\ud840"));
        Assert.Equal(tokenizer.Encode("a <|endoftext|>b"), tokenizer.Encode("A<|EndOfText|> B"));
    }

    [Fact]
    public void The_map_of_special_tokens_says_what_pads()
    {
        string folder = Copy();
        File.WriteAllText(Path.Combine(folder, "special_tokens_map.json"), """{"pad_token": {"content": "!"}}""");
        Assert.Equal(0, ClipTokenizer.Open(folder).Padding);
        Assert.Equal([1512, 1513, 0, 0], ClipTokenizer.Open(folder).Padded(ClipTokenizer.Open(folder).Encode(""), 4));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"),
            """{"pad_token": "#", "added_tokens_decoder": {}, "model_max_length": 1000000000000000019884624838656}""");
        Assert.Equal((2, (int?)null), (ClipTokenizer.Open(folder).Padding, ClipTokenizer.Open(folder).Length));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """{"tokenizer_class": "T5Tokenizer"}""");
        Refused.With("T5Tokenizer", () => ClipTokenizer.Open(folder));
    }

    [Fact]
    public void Vocabularies_that_are_none_are_refused()
    {
        string folder = Copy(), vocabulary = Path.Combine(folder, "vocab.json"), merges = Path.Combine(folder, "merges.txt");
        string given = File.ReadAllText(vocabulary);
        File.WriteAllText(merges, "#version: 0.2\ni n\nq zz\n");
        Refused.With("line 3: 'q zz'", () => ClipTokenizer.Open(folder));
        File.WriteAllText(merges, "#version: 0.2\ni n\ni n\n");
        Refused.With("line 3: 'i n'", () => ClipTokenizer.Open(folder));
        File.WriteAllText(vocabulary, given.Replace("\"#\": 2,", "", StringComparison.Ordinal));
        Refused.With("'#'", () => ClipTokenizer.Open(folder));
        File.WriteAllText(vocabulary, given.Replace("\"#\": 2,", "\"#\": 3,", StringComparison.Ordinal));
        Refused.With("has the id 3", () => ClipTokenizer.Open(folder));
        File.WriteAllText(vocabulary, given.Replace("<|startoftext|>", "<s>", StringComparison.Ordinal));
        File.WriteAllText(merges, "i n\n");
        Refused.With("'<|startoftext|>'", () => ClipTokenizer.Open(folder));
        File.Delete(merges);
        Refused.With("merges.txt is missing", () => ClipTokenizer.Open(folder));
    }

    private static IEnumerable<long> Ids(JsonElement list) => list.EnumerateArray().Select(id => id.GetInt64());

    private string Copy()
    {
        string folder = _folder.File("tokenizer");
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.GetFiles(GoldenPipelines.At("sd15-tiny", "tokenizer")))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        return folder;
    }
}
