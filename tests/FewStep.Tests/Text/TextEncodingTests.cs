using System.Text.Json;
using FewStep.Tests.Checkpoints;
using FewStep.Text;
using TorchSharp;

namespace FewStep.Tests.Text;

public sealed class TextEncodingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Prompts_become_what_Stable_Diffusion_1_is_told()
    {
        string pipeline = GoldenPipelines.At("sd15-tiny");
        Assert.True(TextEncoding.IsIn(pipeline));
        using var encoding = TextEncoding.Open(pipeline);
        var (prompts, golden) = Golden();
        Assert.Equal((77, 32, (int?)null), (encoding.Length, encoding.Width, encoding.PooledWidth));
        var first = encoding.Encode([prompts[0]]);
        var all = encoding.Encode([.. prompts, prompts[1]]); // one of them kept, one twice
        Assert.Null(all.Pooled);
        Assert.InRange(GoldenPipelines.Difference(golden["last_hidden_state"], all.Context!.narrow(0, 0, 6)), 0, 2e-5);
        Assert.True(all.Context![6].equal(all.Context[1]).all().item<bool>());
        Assert.True(all.Context![0].equal(first.Context![0]).all().item<bool>());
        Assert.True(encoding.Empty(2).Context![1].equal(all.Context[1]).all().item<bool>());
        Assert.Equal(1, encoding.Cut);

        using var skipping = TextEncoding.Open(pipeline, new TextEncodingOptions { ClipSkip = 1 });
        Assert.InRange(GoldenPipelines.Difference(golden["penultimate_final_norm"], skipping.Encode(prompts).Context!), 0, 2e-5);
    }

    [Fact]
    public void Prompts_become_what_XL_is_told()
    {
        string pipeline = Xl();
        using var encoding = TextEncoding.Open(pipeline);
        var (prompts, first) = Golden();
        var second = GoldenPipelines.Arrays(GoldenPipelines.At("sdxl-tiny", "text_encoder_2.golden.npz"));
        var told = encoding.Encode(prompts);
        Assert.Equal((56, 24), (encoding.Width, encoding.PooledWidth));
        Assert.InRange(GoldenPipelines.Difference(cat([first["penultimate"], second["penultimate"]], -1), told.Context!), 0, 2e-5);
        Assert.InRange(GoldenPipelines.Difference(second["text_embeds"], told.Pooled!), 0, 2e-5);
        Assert.Equal(0, encoding.Empty(3).Context!.abs().sum().item<float>());
        Assert.Equal([3, 24], encoding.Empty(3).Pooled!.shape);

        File.WriteAllText(Path.Combine(pipeline, "model_index.json"), """{"force_zeros_for_empty_prompt": false}""");
        using var encodes = TextEncoding.Open(pipeline);
        Assert.InRange(GoldenPipelines.Difference(second["text_embeds"][1], encodes.Empty(1).Pooled![0]), 0, 2e-5);
    }

    [Fact]
    public void Pipelines_of_other_encoders_are_refused_by_what_they_are()
    {
        string pipeline = Xl(), config = Path.Combine(pipeline, "text_encoder_2", "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("CLIPTextModelWithProjection", "CLIPTextModel"));
        Refused.With("neither one without a projection", () => TextEncoding.Open(pipeline));
        File.Copy(GoldenPipelines.At("t5-tiny", "text_encoder", "config.json"), config, overwrite: true);
        Refused.With("T5", () => TextEncoding.Open(pipeline));
        Directory.CreateDirectory(Path.Combine(pipeline, "text_encoder_3"));
        File.Copy(config, Path.Combine(pipeline, "text_encoder_3", "config.json"));
        Refused.With("three text encoders", () => TextEncoding.Open(pipeline));
        Refused.With("takes no prompts", () => TextEncoding.Open(GoldenPipelines.At("t5-tiny", "text_encoder")));
    }

    private static (string[] Prompts, Dictionary<string, Tensor> Golden) Golden()
    {
        var golden = GoldenPipelines.Arrays(GoldenPipelines.At("sd15-tiny", "text_encoder.golden.npz"));
        using var texts = JsonDocument.Parse(File.ReadAllBytes(GoldenPipelines.At("sd15-tiny", "tokenizer.golden.json")));
        return ([.. golden["prompt_index"].data<long>().Select(i => texts.RootElement[(int)i].GetProperty("text").GetString()!)], golden);
    }

    private string Xl()
    {
        string pipeline = _folder.File("xl");
        void Copy(string from, string to)
        {
            Directory.CreateDirectory(Path.Combine(pipeline, to));
            foreach (string file in Directory.GetFiles(from))
                File.Copy(file, Path.Combine(pipeline, to, Path.GetFileName(file)));
        }

        Copy(GoldenPipelines.At("sd15-tiny", "text_encoder"), "text_encoder");
        Copy(GoldenPipelines.At("sdxl-tiny", "text_encoder_2"), "text_encoder_2");
        Copy(GoldenPipelines.At("sd15-tiny", "tokenizer"), "tokenizer");
        Copy(GoldenPipelines.At("sd15-tiny", "tokenizer"), "tokenizer_2");
        File.WriteAllText(Path.Combine(pipeline, "tokenizer_2", "special_tokens_map.json"), """{"pad_token": "!"}""");
        return pipeline;
    }
}
