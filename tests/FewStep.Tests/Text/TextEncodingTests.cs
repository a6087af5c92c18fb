using System.Text.Json;
using FewStep.Networks;
using FewStep.Text;

namespace FewStep.Tests.Text;

public sealed class TextEncodingTests : TensorFileTests
{
    [Fact]
    public void Prompts_become_what_Stable_Diffusion_1_is_told()
    {
        string pipeline = GoldenPipelines.At("sd15-tiny");
        Assert.Null(TextEncoding.Obstacle(pipeline));
        using var encoding = TextEncoding.Open(pipeline);
        var (prompts, golden) = Golden();
        Assert.Equal(new TextWidths(32, null), encoding.Widths);
        var first = encoding.Encode([prompts[0]]);
        var all = encoding.Encode([.. prompts, prompts[1]]);
        Assert.Null(all.Pooled);
        Assert.InRange(GoldenPipelines.Difference(golden["last_hidden_state"], all.Context!.narrow(0, 0, 6)), 0, 2e-5);
        Assert.True(all.Context![6].equal(all.Context[1]).all().item<bool>());
        Assert.True(all.Context![0].equal(first.Context![0]).all().item<bool>());
        Assert.Equal([(77, 1)], encoding.CountCut(prompts));

        using var skipping = TextEncoding.Open(pipeline, new TextEncodingOptions { ClipSkip = 1 });
        Assert.InRange(GoldenPipelines.Difference(golden["penultimate_final_norm"], skipping.Encode(prompts).Context!), 0, 2e-5);
        Assert.NotEqual(encoding.Hash, skipping.Hash);
    }

    [Fact]
    public void Prompts_become_what_XL_is_told()
    {
        string pipeline = Xl();
        using var encoding = TextEncoding.Open(pipeline, new TextEncodingOptions { Told = new(3, 32, 48) });
        var (prompts, first) = Golden();
        var second = GoldenPipelines.Arrays(GoldenPipelines.At("sdxl-tiny", "text_encoder_2.golden.npz"));
        var told = encoding.Encode(prompts);
        Assert.Equal(new TextWidths(56, 24), encoding.Widths);
        int empty = Array.IndexOf(prompts, "");
        var filled = tensor(prompts.Select(p => p.Length > 0 ? 1f : 0f).ToArray());
        var context = cat([first["penultimate"], second["penultimate"]], -1) * filled.view(-1, 1, 1);
        Assert.InRange(GoldenPipelines.Difference(context, told.Context!), 0, 2e-5);
        Assert.InRange(GoldenPipelines.Difference(second["text_embeds"] * filled.view(-1, 1), told.Pooled!), 0, 2e-5);
        Assert.Equal(0, told.Context![empty].abs().sum().item<float>());
        Assert.Equal([32f, 48, 0, 0, 32, 48], told.Sizes![^1].data<float>());

        File.WriteAllText(Path.Combine(pipeline, "model_index.json"), """{"force_zeros_for_empty_prompt": false}""");
        using var encodes = TextEncoding.Open(pipeline);
        Assert.InRange(GoldenPipelines.Difference(second["text_embeds"][empty], encodes.Encode([""]).Pooled![0]), 0, 2e-5);
    }

    [Fact]
    public void Pipelines_of_other_encoders_are_refused_by_what_they_are()
    {
        string pipeline = Xl(), config = Path.Combine(pipeline, "text_encoder_2", "config.json"), given = File.ReadAllText(config);
        string third = Path.Combine(pipeline, "text_encoder_3", "config.json");
        File.WriteAllText(config, given.Replace("CLIPTextModelWithProjection", "CLIPTextModel"));
        Refused.With("neither one without a projection", () => TextEncoding.Open(pipeline));
        File.WriteAllText(config, given.Replace("CLIPTextModelWithProjection", "RobertaModel"));
        Refused.With("which is not read, so prompts are not encoded", () => TextEncoding.Open(pipeline));
        File.WriteAllText(config, given);
        Directory.CreateDirectory(Path.GetDirectoryName(third)!);
        File.WriteAllText(third, given);
        Refused.With("others are not known here", () => TextEncoding.Open(pipeline));
        File.Copy(GoldenPipelines.At("t5-tiny", "text_encoder", "config.json"), third, overwrite: true);
        Refused.With("others are not known here", () => TextEncoding.Open(pipeline)); // XL's first encoder does not project
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
