using System.Text.Json;
using FewStep.Text;

namespace FewStep.Tests.Text;

/// <summary>Held against SentencePiece 0.1.97 with a small unigram model of the kind of T5's.</summary>
public sealed class T5TokenizerTests : FolderTests
{
    private const string Config = "tokenizer_config.json", Model = "spiece.model";
    private const int End = 1;

    [Fact]
    public void Ids_are_those_of_SentencePiece()
    {
        var tokenizer = T5Tokenizer.Open(GoldenPipelines.At("t5-tokenizer"));
        var pieces = SentencePieceModel.Read(GoldenPipelines.At("t5-tokenizer", Model));
        Assert.Equal((End, 0, 512, 600), (tokenizer.End, tokenizer.Padding, tokenizer.Length, pieces.Count));
        using var golden = JsonDocument.Parse(File.ReadAllBytes(GoldenPipelines.At("t5-tokenizer", "tokenizer.golden.json")));
        int texts = 0;
        foreach (var entry in golden.RootElement.EnumerateArray())
        {
            string text = entry.GetProperty("text").GetString()!;
            int[] ids = [.. entry.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            Assert.Equal(ids, pieces.Encode(text));
            if (!text.Contains('<', StringComparison.Ordinal))
                Assert.Equal([.. ids, End], tokenizer.Encode(text));
            texts++;
        }

        Assert.Equal(43, texts);
        Assert.Equal(pieces.Encode("\ufffd"), pieces.Encode("\ud840")); // half a character
    }

    [Fact]
    public void Tokens_that_are_written_out_are_tokens()
    {
        var tokenizer = T5Tokenizer.Open(GoldenPipelines.At("t5-tokenizer"));
        var pieces = SentencePieceModel.Read(GoldenPipelines.At("t5-tokenizer", Model));
        int[] expected = [.. pieces.Encode("a cat"), 699, .. pieces.Encode("sat"), 600, 1, .. pieces.Encode("there"), End];
        Assert.Equal(expected, tokenizer.Encode("a cat <extra_id_0> sat<extra_id_99> </s>there"));
        Assert.Equal([End], tokenizer.Encode(" "));

        // They are the same where the folder does not list them.
        var plain = T5Tokenizer.Open(Copy("plain", "{}"));
        Assert.Equal(expected, plain.Encode("a cat <extra_id_0> sat<extra_id_99> </s>there"));
        Assert.Null(plain.Length);
        Assert.Equal([.. pieces.Encode("<extra_id_0>"), End],
            T5Tokenizer.Open(Copy("none", """{"extra_ids": 0}""")).Encode("<extra_id_0>"));
    }

    [Fact]
    public void Texts_are_filled_up_or_cut_before_the_end()
    {
        var tokenizer = T5Tokenizer.Open(GoldenPipelines.At("t5-tokenizer"));
        var ids = tokenizer.Encode("a photo of a cat");
        Assert.Equal([.. ids.Select(id => (long)id), 0, 0], tokenizer.Padded(ids, ids.Count + 2));
        Assert.Equal([.. ids.Take(3).Select(id => (long)id), End], tokenizer.Padded(ids, 4));
    }

    [Theory]
    [InlineData("""{"tokenizer_class": "LlamaTokenizer"}""", "describes a LlamaTokenizer; read is T5Tokenizer or T5TokenizerFast")]
    [InlineData("""{"add_prefix_space": false}""", "add_prefix_space is false")]
    [InlineData("""{"sp_model_kwargs": {"enable_sampling": true}}""", "sp_model_kwargs is {\"enable_sampling\": true}")]
    [InlineData("""{"extra_ids": -1}""", "extra_ids is -1")]
    [InlineData("""{"pad_token": "<nothing>"}""", "lacks the token '<nothing>'")]
    [InlineData("""{"added_tokens_decoder": {"7": {"content": "x", "normalized": true}}}""", "added token 7 is")]
    [InlineData("""{"added_tokens_decoder": {"7": "x"}}""", "added token 7 is")]
    [InlineData("""{"added_tokens_decoder": ["x"]}""", "added_tokens_decoder is")]
    public void Settings_that_are_not_known_are_refused(string config, string message)
        => Refused.With(message, () => T5Tokenizer.Open(Copy("other", config)));

    [Fact]
    public void Models_that_are_none_are_refused()
    {
        string folder = Copy("model", "{}"), path = Path.Combine(folder, Model);
        void Written(string message, params byte[][] fields)
        {
            File.WriteAllBytes(path, [.. fields.SelectMany(f => f)]);
            Refused.With(message, () => T5Tokenizer.Open(folder));
        }

        byte[] a = Piece("a"), unknown = Piece("<unk>", kind: 2);
        Written("no pieces, or none for unknown", a);
        Written("piece 1, 'a', is there twice", a, Piece("a"), unknown);
        Written("piece 2, '<s>', is there twice", a, unknown, Piece("<s>", kind: 2));
        Written("piece 0, '', is there twice or makes no sense", Piece(""), unknown);
        Written("piece 0, 'a', is there twice or makes no sense", Piece("a", float.NaN), unknown);
        Written("piece 0, 'a', is of kind 6 (bytes or a user's symbols)", Piece("a", kind: 6), unknown);
        Written("its model_type is 2", a, unknown, Field(2, [0x18, 2]));
        Written("it writes unknown characters as bytes", a, unknown, Field(2, [0x98, 2, 1]));
        Written("it keeps spaces as they are", a, unknown, Field(3, [0x20, 0]));
        Written("its table of characters (precompiled_charsmap) is damaged", a, unknown, Field(3, Field(2, [8, 0, 0, 0, 1])));
        Written("no sound protobuf file", [0x0a, 100, 1]);
        File.Delete(path);
        Refused.With("is no tokenizer of T5: spiece.model is missing", () => T5Tokenizer.Open(folder));
    }

    private static byte[] Piece(string text, float score = -1, byte kind = 1)
        => Field(1, [.. Field(1, System.Text.Encoding.UTF8.GetBytes(text)), 0x15, .. BitConverter.GetBytes(score), 0x18, kind]);

    private static byte[] Field(int number, byte[] content) => [(byte)((number << 3) | 2), (byte)content.Length, .. content];

    private string Copy(string name, string config)
    {
        string folder = _folder.File(name);
        Directory.CreateDirectory(folder);
        File.Copy(GoldenPipelines.At("t5-tokenizer", Model), Path.Combine(folder, Model));
        File.WriteAllText(Path.Combine(folder, Config), config);
        return folder;
    }
}
