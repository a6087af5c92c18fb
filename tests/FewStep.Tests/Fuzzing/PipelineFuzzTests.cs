using FewStep.Checkpoints;
using FewStep.Text;

namespace FewStep.Tests.Fuzzing;

/// <summary>Damaged parts of text-to-image pipelines.</summary>
public sealed class PipelineFuzzTests : TensorFileTests
{
    [Theory]
    [InlineData("vocab.json", 150)]
    [InlineData("merges.txt", 150)]
    [InlineData("tokenizer_config.json", 100)]
    public void Tokenizers(string name, int cases)
    {
        foreach (string file in Directory.GetFiles(GoldenPipelines.At("sd15-tiny", "tokenizer")))
            File.Copy(file, _folder.File(Path.GetFileName(file)));
        File.Delete(_folder.File("special_tokens_map.json"));
        string folder = Path.GetDirectoryName(_folder.File(name))!;
        Text(name, cases, _folder.File(name), () => ClipTokenizer.Open(folder).Encode("a café, 3 <|endoftext|>"));
    }

    [Fact]
    public void Unigram_models()
    {
        string path = _folder.File("spiece.model");
        byte[] whole = File.ReadAllBytes(GoldenPipelines.At("t5-tokenizer", "spiece.model"));
        FuzzRun.Files("unigram model", 200, random => ByteMutation.Of(whole, random, isText: false), path,
            () => SentencePieceModel.Read(path).Encode("a ｃafé, \ufb01ne e\u0301 カ\u3099"));
    }

    [Fact]
    public void Low_rank_updates()
    {
        string path = _folder.File("lora.safetensors"), weights = _folder.File("w.safetensors");
        SafetensorsFile.Write(path, new Dictionary<string, Tensor>
        {
            ["lora_unet_a_b.lora_down.weight"] = ones(2, 3, 3, 3),
            ["lora_unet_a_b.lora_up.weight"] = ones(4, 2, 1, 1),
            ["lora_unet_a_b.alpha"] = ones([]),
            ["unet.c.lora.down.weight"] = ones(1, 5),
            ["unet.c.lora.up.weight"] = ones(2, 1),
        }, new Dictionary<string, string> { ["lora_adapter_metadata"] = """{"unet.r": 2, "unet.lora_alpha": 4}""" });
        SafetensorsFile.Write(weights, new Dictionary<string, Tensor> { ["a.b.weight"] = ones(4, 3, 3, 3), ["c.weight"] = ones(2, 5) });
        byte[] whole = File.ReadAllBytes(path);
        FuzzRun.Files("LoRA", 250, random => ByteMutation.Of(whole, random, isText: true), path, () =>
        {
            using var lora = LoraFile.Read(path);
            using var tensors = SafetensorsFile.Read(weights).Tensors;
            lora.Fuse(tensors, LoraPart.Denoiser, 0.5);
        });
    }

    [Fact]
    public void Indices_of_shards()
    {
        foreach (string name in new[] { "a", "b" })
            SafetensorsFile.Write(_folder.File($"{name}.safetensors"), new Dictionary<string, Tensor> { [name] = ones(2) });
        string index = _folder.File("model.safetensors.index.json");
        byte[] whole =
            """{"metadata": {"total_size": 16}, "weight_map": {"a": "a.safetensors", "b": "b.safetensors"}}"""u8.ToArray();
        FuzzRun.Files("index of shards", 200, random => ByteMutation.Of(whole, random, isText: true), index, () =>
            DiffusersWeights.Find(Path.GetDirectoryName(index)!, null, DiffusersWeights.TransformersStems).Read().Dispose());
    }

    [Theory]
    [InlineData("sd15-tiny")]
    [InlineData("t5-tiny")]
    public void Configurations_of_text_encoders(string pipeline)
    {
        string config = _folder.File("config.json");
        File.Copy(GoldenPipelines.At(pipeline, "text_encoder", "config.json"), config);
        File.Copy(GoldenPipelines.At(pipeline, "text_encoder", "model.safetensors"), _folder.File("model.safetensors"));
        Text($"text encoder of {pipeline}", 100, config, () =>
        {
            using var scope = NewDisposeScope();
            using var encoder = TextEncoder.Open(Path.GetDirectoryName(config)!);
            encoder.Encode(ones(1, 3, dtype: int64), TextLayer.Last);
        });
    }

    [Fact]
    public void Captions()
    {
        string path = _folder.Write("c.json", """
            {"images": [{"id": 9, "file_name": "9.jpg"}, {"id": 2, "file_name": "2.jpg"}],
            "annotations": [{"id": 7, "image_id": 9, "caption": "later"}, {"id": 5, "image_id": 2, "caption": "two"}]}
            """u8.ToArray());
        Text("captions", 150, path, () => Prompts.Read(path));
    }

    private static void Text(string name, int cases, string path, Action read)
    {
        byte[] whole = File.ReadAllBytes(path);
        FuzzRun.Files(name, cases, random => ByteMutation.Of(whole, random, isText: true), path, read);
    }
}
